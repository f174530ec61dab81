using System.Buffers.Binary;

namespace Godwit.Kafka;

/// <summary>What the leaders of partitions tell of them. Layouts and versions: https://kafka.apache.org/protocol and clients/src/main/resources/common/message of each release.</summary>
internal static class KafkaLogs
{
    private const int Nobody = -1;

    // The beginning of a message is enough; from version 3 on the first one comes whole, however large.
    private const int FetchedBytes = 4096;
    private const int FetchWait = 100;

    // Version 0 (0.9) answers with a list, 1 (0.10.1) with one offset. 4.x: 1 to 11.
    private static readonly short[] ListOffsetsVersions = [0, 1];

    // Version 1 (0.9) hands out messages without times, 2 (0.10) with them, 4 (0.11) those of today, too. 4.x: 4 to 18.
    private static readonly short[] FetchVersions = [1, 2, 4];

    /// <summary>The offsets at one end of partitions that this broker leads.</summary>
    public static async Task<IReadOnlyList<(KafkaPartition Partition, long Offset)>> OffsetsAsync(
        KafkaConnection broker, IReadOnlyCollection<KafkaPartition> partitions, KafkaEnd end, CancellationToken ct)
    {
        var answers = await broker.AskAsync(
            KafkaRequest.ListOffsets,
            ListOffsetsVersions,
            (w, version) => w.Int32(Nobody).Partitions(partitions, (p, partition) => _ = version == 0 ? p.Int64((long)end).Int32(1) : p.Int64((long)end)),
            (r, version) => r.Partitions(p => version == 0 ? ReadOffsets(p) : ReadOffset(p)),
            ct);
        return [.. answers.Select(a => (a.Partition, KafkaErrors.Check(broker.Address, $"the offsets of {a.Partition}", a.Answer.Error, a.Answer.Offset)))];
    }

    /// <summary>See <see cref="KafkaClient.TimeAsync"/>.</summary>
    public static async Task<DateTimeOffset?> TimeAsync(KafkaConnection broker, KafkaPartition partition, long offset, CancellationToken ct)
    {
        var answers = await broker.AskAsync(
            KafkaRequest.Fetch,
            FetchVersions,
            (w, version) =>
            {
                w.Int32(Nobody).Int32(FetchWait).Int32(1);
                _ = version >= 4 ? w.Int32(FetchedBytes).Int8(0) : w;
                w.Partitions([partition], (p, _) => p.Int64(offset).Int32(FetchedBytes));
            },
            (r, version) =>
            {
                r.Int32();
                return r.Partitions(p => ReadFetched(p, version));
            },
            ct);
        var (error, time) = answers is [var answer, ..] ? answer.Answer : (KafkaErrors.UnknownTopicOrPartition, null);
        return error == KafkaErrors.OffsetOutOfRange ? null : KafkaErrors.Check(broker.Address, $"the message {offset} of {partition}", error, time);
    }

    private static (short Error, long Offset) ReadOffsets(KafkaReader reader)
    {
        var (error, offsets) = (reader.Int16(), reader.List(r => r.Int64()));
        return (error, offsets is [var first, ..] ? first : 0);
    }

    private static (short Error, long Offset) ReadOffset(KafkaReader reader)
    {
        var (error, _, offset) = (reader.Int16(), reader.Int64(), reader.Int64());
        return (error, offset);
    }

    private static (short Error, DateTimeOffset? Time) ReadFetched(KafkaReader reader, short version)
    {
        // Then come the high watermark, in version 4 the last stable offset and aborted transactions, and the messages.
        var (error, _) = (reader.Int16(), reader.Int64());
        if (version >= 4)
        {
            reader.Int64();
            reader.List(r => (r.Int64(), r.Int64()));
        }

        return (error, TimeOf(reader.Bytes()));
    }

    /// <summary>
    /// The time of the first message, or of the newest one in its batch. Offset, length and checksum or epoch are 16 bytes in every format, and then
    /// comes the number of the format (https://kafka.apache.org/documentation/#messageformat): 0 has no time; in 1 it follows the attributes; in 2 it is
    /// the largest one of the batch, behind the base one.
    /// </summary>
    private static DateTimeOffset? TimeOf(ReadOnlySpan<byte> messages)
    {
        const int Format = 16;
        var at = messages.Length <= Format ? -1 : messages[Format] switch { 1 => 18, 2 => 35, _ => -1 };
        var milliseconds = at < 0 || messages.Length < at + 8 ? -1 : BinaryPrimitives.ReadInt64BigEndian(messages[at..]);
        return milliseconds < 0 || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? null : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }
}
