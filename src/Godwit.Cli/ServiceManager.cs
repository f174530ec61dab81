using System.Net.Sockets;

namespace Godwit.Cli;

/// <summary>Tells the service manager, systemd mostly, how far the process is: what sd_notify(3) does.</summary>
/// <param name="socket">NOTIFY_SOCKET; null when nobody wants to know.</param>
internal sealed class ServiceManager(string? socket)
{
    /// <summary>Tells it.</summary>
    /// <param name="state">Such as <c>READY=1</c>.</param>
    /// <exception cref="IOException">Nobody listens there.</exception>
    public void Tell(string state)
    {
        if (string.IsNullOrEmpty(socket))
        {
            return;
        }

        try
        {
            // A name that begins with @ is none of a file.
            using var way = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            way.Connect(new UnixDomainSocketEndPoint(socket[0] == '@' ? $"\0{socket[1..]}" : socket));
            way.Send(System.Text.Encoding.UTF8.GetBytes(state));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new IOException($"The service manager cannot be told {state}: nobody listens at {socket}, which NOTIFY_SOCKET names ({e.Message}).", e);
        }
    }
}
