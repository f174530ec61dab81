namespace Godwit.Kafka;

/// <summary>
/// Asks a Kafka broker for its version. Brokers tell no version, but which versions of each request they understand, before any login; each release
/// has raised some. https://kafka.apache.org/protocol#protocol_api_keys and the messages' files of each release are the source of the table.
/// </summary>
internal static class KafkaVersion
{
    // The first release, newest first, that understands a request in so high a version.
    private static readonly (string Release, KafkaRequest Request, short Version)[] Raised =
    [
        ("4.0.0", KafkaRequest.Produce, 12), ("3.9.0", KafkaRequest.Fetch, 17), ("3.8.0", KafkaRequest.Produce, 11), ("3.7.0", KafkaRequest.Fetch, 16),
        ("3.6.0", KafkaRequest.AddPartitionsToTransaction, 4), ("3.5.0", KafkaRequest.Fetch, 15), ("3.3.0", KafkaRequest.DescribeAcls, 3),
        ("3.2.0", KafkaRequest.JoinGroup, 9), ("3.1.0", KafkaRequest.Fetch, 13), ("3.0.0", KafkaRequest.ListOffsets, 7), ("2.8.0", KafkaRequest.Produce, 9),
        ("2.7.0", KafkaRequest.Fetch, 12), ("2.6.0", KafkaRequest.ListGroups, 4), ("2.5.0", KafkaRequest.JoinGroup, 7), ("2.4.0", KafkaRequest.Produce, 8),
        ("2.3.0", KafkaRequest.Fetch, 11), ("2.2.0", KafkaRequest.ListOffsets, 5), ("2.1.0", KafkaRequest.Fetch, 10), ("2.0.0", KafkaRequest.Fetch, 8),
        ("1.1.0", KafkaRequest.Fetch, 7), ("1.0.0", KafkaRequest.Metadata, 5), ("0.11.0", KafkaRequest.Metadata, 4), ("0.10.2", KafkaRequest.OffsetFetch, 2),
        ("0.10.1", KafkaRequest.Metadata, 2),
    ];

    /// <summary>The release, its last part 0 from 0.11 on: fixes within a release cannot be told apart. Or null and a sentence that says why it cannot be read.</summary>
    public static async Task<(string? Version, string? Problem)> ReadAsync(string address, CancellationToken ct)
    {
        try
        {
            using var broker = await KafkaConnection.OpenAsync(address, ct);
            return (Release(broker), null);
        }
        catch (KafkaException e)
        {
            return (null, e.Message);
        }
    }

    private static string Release(KafkaConnection broker) => broker.IsOld
        ? "0.9.0"
        : Raised.FirstOrDefault(r => broker.Versions.TryGetValue(r.Request, out var range) && range.Highest >= r.Version).Release ?? "0.10.0";
}
