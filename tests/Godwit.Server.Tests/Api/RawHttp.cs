using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>HTTP as no well-behaved client speaks it.</summary>
internal static class RawHttp
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Sends bytes and reads until the server has answered and closed the connection.</summary>
    public static async Task<string> SendAsync(Uri server, byte[] request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.Host, server.Port, Ct);
        await using var stream = socket.GetStream();
        try
        {
            await stream.WriteAsync(request, Ct);
            return await ReadAsync(stream);
        }
        catch (IOException)
        {
            // It was answered, or cut off, before all of it was read.
            return await ReadAsync(stream);
        }
    }

    /// <summary>All that comes until the other side closes.</summary>
    public static async Task<string> ReadAsync(Stream stream)
    {
        using var answer = new MemoryStream();
        var buffer = new byte[8192];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, Ct)) > 0;)
            {
                answer.Write(buffer, 0, read);
            }
        }
        catch (IOException)
        {
            // Reset: what came before counts.
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }

    /// <summary>The status of an answer; 0 when there was none.</summary>
    public static int StatusOf(string answer) =>
        answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(answer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture) : 0;
}
