using System.Globalization;

namespace Godwit.Kafka;

/// <summary>What brokers tell of topics. Layouts and versions: https://kafka.apache.org/protocol and clients/src/main/resources/common/message of each release.</summary>
internal static class KafkaTopics
{
    private const short ReplicaNotAvailable = 9;
    private const int TopicResource = 2;

    // A name makes a broker that makes topics by itself make one, unless it is told not to, which it can be from version 4 (0.11) on. Before, all are asked
    // for. 4.x: 0 to 13.
    private static readonly short[] MetadataVersions = [0, 4];

    // Version 0 is of 0.11, 1 of 1.1. 4.x: 1 to 4.
    private static readonly short[] DescribeConfigsVersions = [0, 1];

    private static readonly string[] Settings = ["retention.ms", "retention.bytes", "cleanup.policy"];

    /// <summary>The partitions of topics, and the addresses of their leaders.</summary>
    public static async Task<IReadOnlyDictionary<KafkaPartition, string>> LeadersAsync(KafkaConnection broker, IReadOnlyList<string> topics, CancellationToken ct)
    {
        var (addresses, found) = await broker.AskAsync(
            KafkaRequest.Metadata,
            MetadataVersions,
            (w, version) => _ = version == 0 ? w.Int32(0) : w.List(topics, (t, name) => t.Text(name)).Int8(0),
            (r, version) => version == 0 ? ReadOldMetadata(r) : ReadMetadata(r),
            ct);
        Dictionary<KafkaPartition, string> leaders = [];
        foreach (var topic in topics)
        {
            var (_, error, partitions) = found.Find(t => t.Name == topic) ?? new Topic(topic, KafkaErrors.UnknownTopicOrPartition, []);
            foreach (var code in partitions.Select(p => p.Error).Where(e => e != ReplicaNotAvailable).Prepend(error).Where(e => e != KafkaErrors.None).Take(1))
            {
                throw KafkaErrors.Of(broker.Address, $"the partitions of topic {topic}", code);
            }

            foreach (var partition in partitions)
            {
                leaders[new KafkaPartition(topic, partition.Number)] = addresses.GetValueOrDefault(partition.Leader)
                    ?? throw KafkaErrors.Of(broker.Address, $"the partitions of topic {topic}", KafkaErrors.LeaderNotAvailable);
            }
        }

        return leaders;
    }

    /// <summary>See <see cref="KafkaClient.RetentionAsync"/>.</summary>
    public static async Task<KafkaRetention?> RetentionAsync(KafkaConnection broker, string topic, CancellationToken ct)
    {
        if (broker.Common(KafkaRequest.DescribeConfigs, DescribeConfigsVersions) is null)
        {
            return null;
        }

        var answers = await broker.AskAsync(
            KafkaRequest.DescribeConfigs,
            DescribeConfigsVersions,
            (w, version) =>
            {
                w.Int32(1).Int8(TopicResource).Text(topic).List(Settings, (n, name) => n.Text(name));
                _ = version == 0 ? w : w.Int8(0);
            },
            (r, version) =>
            {
                r.Int32();
                return r.List(t => ReadSettings(t, version));
            },
            ct);

        // Not for whoever has not logged in, say clusters with access control: that is unreadable, too.
        return answers is [(KafkaErrors.None, var settings), ..] ? Retention(settings) : null;
    }

    private static KafkaRetention? Retention(Dictionary<string, string?> settings)
    {
        if (Number(settings, "retention.ms") is not { } time || Number(settings, "retention.bytes") is not { } bytes)
        {
            return null;
        }

        // Where nothing is deleted, only what has a newer message of the same key goes.
        var isDeleted = settings.GetValueOrDefault("cleanup.policy")?.Contains("delete", StringComparison.Ordinal) ?? true;
        return isDeleted
            ? new KafkaRetention(time is < 0 or > 100L * 365 * 24 * 3600 * 1000 ? null : TimeSpan.FromMilliseconds(time), bytes < 0 ? null : bytes)
            : new KafkaRetention(null, null);
    }

    private static long? Number(Dictionary<string, string?> settings, string name) =>
        long.TryParse(settings.GetValueOrDefault(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static (short Error, Dictionary<string, string?> Settings) ReadSettings(KafkaReader reader, short version)
    {
        var error = reader.Int16();
        reader.NullableText();
        reader.Int8();
        reader.Text();
        Dictionary<string, string?> settings = new(StringComparer.Ordinal);
        foreach (var (name, value) in reader.List(r => ReadSetting(r, version)))
        {
            settings[name] = value;
        }

        return (error, settings);
    }

    private static (string Name, string? Value) ReadSetting(KafkaReader reader, short version)
    {
        var setting = (reader.Text(), reader.NullableText());

        // Read-only; default, or in version 1 its source; sensitive; and the names by which it is known elsewhere.
        _ = (reader.Bool(), reader.Int8(), reader.Bool());
        if (version >= 1)
        {
            reader.List(r => (r.Text(), r.NullableText(), r.Int8()));
        }

        return setting;
    }

    private static (Dictionary<int, string> Addresses, List<Topic> Topics) ReadOldMetadata(KafkaReader reader)
    {
        var addresses = ByNumber(reader.List(r => (r.Int32(), r.Address())));
        return (addresses, reader.List(r => new Topic(Error: r.Int16(), Name: r.Text(), Partitions: r.List(ReadPartition))));
    }

    private static (Dictionary<int, string> Addresses, List<Topic> Topics) ReadMetadata(KafkaReader reader)
    {
        // Throttled for; brokers with their racks; the cluster's name; its controller.
        reader.Int32();
        var addresses = ByNumber(reader.List(r => (r.Int32(), r.Address(), r.NullableText())).Select(b => (b.Item1, b.Item2)));
        reader.NullableText();
        reader.Int32();
        return (addresses, reader.List(r =>
        {
            var (error, name, _) = (r.Int16(), r.Text(), r.Bool());
            return new Topic(name, error, r.List(ReadPartition));
        }));
    }

    private static Dictionary<int, string> ByNumber(IEnumerable<(int Number, string Address)> brokers) =>
        brokers.DistinctBy(b => b.Number).ToDictionary(b => b.Number, b => b.Address);

    private static Partition ReadPartition(KafkaReader reader)
    {
        var partition = new Partition(Error: reader.Int16(), Number: reader.Int32(), Leader: reader.Int32());

        // Its replicas, and those that are in sync.
        reader.List(r => r.Int32());
        reader.List(r => r.Int32());
        return partition;
    }

    private sealed record Topic(string Name, short Error, List<Partition> Partitions);

    private sealed record Partition(short Error, int Number, int Leader);
}
