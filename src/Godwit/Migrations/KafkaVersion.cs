using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Godwit.Migrations;

/// <summary>
/// Asks a Kafka broker for its version. Brokers tell no version, but which versions of each request they understand, before any login; each release
/// has raised some. https://kafka.apache.org/protocol#protocol_api_keys and the messages' files of each release are the source of the table.
/// </summary>
internal static class KafkaVersion
{
    private const short Produce = 0;
    private const short Fetch = 1;
    private const short ListOffsets = 2;
    private const short Metadata = 3;
    private const short OffsetFetch = 9;
    private const short JoinGroup = 11;
    private const short ListGroups = 16;
    private const short ApiVersions = 18;
    private const short AddPartitionsToTransaction = 24;
    private const short DescribeAcls = 29;
    private const int LargestAnswer = 1 << 16;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(4);

    // The first release, newest first, that understands a request in so high a version.
    private static readonly (string Release, short Request, short Version)[] Raised =
    [
        ("4.0.0", Produce, 12), ("3.9.0", Fetch, 17), ("3.8.0", Produce, 11), ("3.7.0", Fetch, 16), ("3.6.0", AddPartitionsToTransaction, 4), ("3.5.0", Fetch, 15),
        ("3.3.0", DescribeAcls, 3), ("3.2.0", JoinGroup, 9), ("3.1.0", Fetch, 13), ("3.0.0", ListOffsets, 7), ("2.8.0", Produce, 9), ("2.7.0", Fetch, 12),
        ("2.6.0", ListGroups, 4), ("2.5.0", JoinGroup, 7), ("2.4.0", Produce, 8), ("2.3.0", Fetch, 11), ("2.2.0", ListOffsets, 5), ("2.1.0", Fetch, 10),
        ("2.0.0", Fetch, 8), ("1.1.0", Fetch, 7), ("1.0.0", Metadata, 5), ("0.11.0", Metadata, 4), ("0.10.2", OffsetFetch, 2), ("0.10.1", Metadata, 2),
    ];

    /// <summary>Whether a text is the address of a broker, such as <c>kafka.example:9092</c>.</summary>
    public static bool IsAddress(string text) =>
        Uri.TryCreate($"http://{text}", UriKind.Absolute, out var uri) && text == $"{uri.Host}:{text[(text.LastIndexOf(':') + 1)..]}"
        && ushort.TryParse(text[(text.LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0;

    /// <summary>The release, its last part 0 from 0.11 on: fixes within a release cannot be told apart. Or null and a sentence that says why it cannot be read.</summary>
    public static async Task<(string? Version, string? Problem)> ReadAsync(string address, CancellationToken ct)
    {
        try
        {
            if (await AskAsync(address, ApiVersions, ct) is { } answer)
            {
                return (Release(answer), null);
            }

            // A broker before 0.10 chokes on that question; one of 0.9 knows groups.
            return await AskAsync(address, ListGroups, ct) is not null
                ? ("0.9.0", null)
                : (null, $"{address} hung up or said nothing. Name a listener of a Kafka broker, 0.9 or newer, that speaks plain text.");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return (null, $"{address} cannot be reached: {e.Message}.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (null, $"{address} cannot be reached: no answer within {Longest.TotalSeconds:0} s.");
        }
    }

    // After the error code and the number of entries: request, lowest and highest version, two bytes each.
    private static string? Release(byte[] answer)
    {
        Dictionary<short, short> highest = [];
        for (var at = 6; at + 6 <= answer.Length; at += 6)
        {
            highest[BinaryPrimitives.ReadInt16BigEndian(answer.AsSpan(at))] = BinaryPrimitives.ReadInt16BigEndian(answer.AsSpan(at + 4));
        }

        return Raised.FirstOrDefault(r => highest.GetValueOrDefault(r.Request, (short)-1) >= r.Version).Release ?? "0.10.0";
    }

    /// <summary>The answer to a request of version 0 without fields, behind its correlation id; null when the broker hangs up or says nothing.</summary>
    private static async Task<byte[]?> AskAsync(string address, short request, CancellationToken caller)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(caller);
        limit.CancelAfter(Longest);
        var ct = limit.Token;
        using var client = new TcpClient();
        var colon = address.LastIndexOf(':');
        await client.ConnectAsync(address[..colon].Trim('[', ']'), int.Parse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture), ct);
        var stream = client.GetStream();
        var name = Encoding.ASCII.GetBytes("godwit");
        var message = new byte[14 + name.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length - 4);
        BinaryPrimitives.WriteInt16BigEndian(message.AsSpan(4), request);
        BinaryPrimitives.WriteInt16BigEndian(message.AsSpan(12), (short)name.Length);
        name.CopyTo(message, 14);
        await stream.WriteAsync(message, ct);
        try
        {
            var header = new byte[8];
            await stream.ReadExactlyAsync(header, ct);
            var length = BinaryPrimitives.ReadInt32BigEndian(header) - 4;
            if (length is < 6 or > LargestAnswer)
            {
                return null;
            }

            var body = new byte[length];
            await stream.ReadExactlyAsync(body, ct);
            return body;
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && !caller.IsCancellationRequested))
        {
            return null;
        }
    }
}
