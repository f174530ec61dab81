using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Godwit.Kafka;

/// <summary>Builds a message in the types of the protocol before its flexible versions. https://kafka.apache.org/protocol#protocol_types</summary>
internal sealed class KafkaWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.WrittenMemory;

    public KafkaWriter Int8(int value)
    {
        _bytes.GetSpan(1)[0] = (byte)value;
        _bytes.Advance(1);
        return this;
    }

    public KafkaWriter Int16(int value)
    {
        BinaryPrimitives.WriteInt16BigEndian(_bytes.GetSpan(2), (short)value);
        _bytes.Advance(2);
        return this;
    }

    public KafkaWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
        return this;
    }

    public KafkaWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
        return this;
    }

    /// <summary>A text, or null, which is written as the length -1.</summary>
    public KafkaWriter Text(string? value)
    {
        if (value is null)
        {
            return Int16(-1);
        }

        Int16(Encoding.UTF8.GetByteCount(value));
        Encoding.UTF8.GetBytes(value, _bytes);
        return this;
    }

    /// <summary>Bytes behind their length.</summary>
    public KafkaWriter Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        return Raw(value);
    }

    /// <summary>Bytes as they are.</summary>
    public KafkaWriter Raw(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    /// <summary>A list behind its length.</summary>
    public KafkaWriter List<T>(IReadOnlyCollection<T> items, Action<KafkaWriter, T> write)
    {
        Int32(items.Count);
        foreach (var item in items)
        {
            write(this, item);
        }

        return this;
    }

    /// <summary>Partitions behind their topics.</summary>
    public KafkaWriter Partitions(IEnumerable<KafkaPartition> partitions, Action<KafkaWriter, KafkaPartition> write) => List(
        [.. partitions.GroupBy(p => p.Topic, StringComparer.Ordinal)],
        (t, topic) => t.Text(topic.Key).List([.. topic], (p, partition) => write(p.Int32(partition.Number), partition)));
}
