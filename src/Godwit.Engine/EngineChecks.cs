using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Xml;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Engine;

/// <summary>What can be known to fail before ClickHouse is started: it says little itself.</summary>
internal static class EngineChecks
{
    /// <summary>Makes the folder of the data if need be, and sees that it can be written and that nobody else has it.</summary>
    public static string Folder(string path)
    {
        try
        {
            var folder = Directory.CreateDirectory(path).FullName;
            File.Create(Path.Combine(folder, $".godwit-{Guid.NewGuid():N}"), 1, FileOptions.DeleteOnClose).Dispose();
            var status = Path.Combine(folder, "status");
            if (File.Exists(status) && IsLocked(status))
            {
                throw Locked(folder, null);
            }

            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new EngineStartException($"The folder {path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Another engine works on the folder.</summary>
    public static EngineStartException Locked(string folder, string? heard)
        => new($"The folder {folder} is in use by another ClickHouse{Owner(folder)}; stop that one or take another folder.{heard}");

    /// <summary>ClickHouse ignores a file that is missing, and ends without a word at one that is broken.</summary>
    public static string? Config(string? path)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            var full = Path.GetFullPath(path);
            using var file = File.OpenRead(full);
            if (Path.GetExtension(full) is not (".yaml" or ".yml"))
            {
                using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
                while (reader.Read())
                {
                }
            }

            return full;
        }
        catch (XmlException e)
        {
            throw new EngineStartException($"The configuration file {path} is not valid XML: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new EngineStartException($"The configuration file {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The ports to listen on: the wanted ones if they are free, free ones in the place of 0.</summary>
    public static (int Http, int? Tcp) Ports(int http, int? tcp)
    {
        // Both at once, so that they differ.
        using var first = Listen(http);
        using var second = tcp is { } wanted ? Listen(wanted) : null;
        return (PortOf(first), second is null ? null : PortOf(second));
    }

    /// <summary>Somebody else listens there.</summary>
    public static string PortTaken(int port) => string.Create(
        CultureInfo.InvariantCulture, $"Port {port} of 127.0.0.1 is taken by another program; choose another one, or 0 for any that is free.");

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private static TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new EngineStartException(
                e.SocketErrorCode == SocketError.AddressAlreadyInUse ? PortTaken(port) : $"Port {port} of 127.0.0.1 cannot be had: {e.Message}.", e);
        }
    }

    /// <summary>ClickHouse writes its pid into the file that it locks; another version may write it otherwise.</summary>
    private static string Owner(string folder)
    {
        try
        {
            // Not through File: .NET asks for a lock whenever it opens one, and this file is locked.
            var descriptor = Libc.Checked(Libc.Open(Path.Combine(folder, "status"), Libc.ReadOnly | Libc.CloseOnExec), "open");
            using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
            using var file = new FileStream(handle, FileAccess.Read);
            using var reader = new StreamReader(file);
            return reader.ReadLine() is { } line && line.StartsWith("PID: ", StringComparison.Ordinal) ? $" (pid {line["PID: ".Length..]})" : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The refusal stands without the pid.
            return "";
        }
    }

    private static bool IsLocked(string status)
    {
        try
        {
            using var file = new FileStream(status, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException e) when (e.HResult == Libc.Locked)
        {
            return true;
        }
    }
}
