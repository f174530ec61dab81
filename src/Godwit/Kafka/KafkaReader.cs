using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Godwit.Kafka;

/// <summary>
/// Reads a message in the types of the protocol before its flexible versions. What is cut off, or announces more than there is, is an
/// <see cref="InvalidDataException"/>.
/// </summary>
internal sealed class KafkaReader(ReadOnlyMemory<byte> message)
{
    // An item takes more memory than it has bytes.
    private const int MostAtFirst = 1024;

    private int _at;

    public sbyte Int8() => (sbyte)Take(1)[0];

    public bool Bool() => Int8() != 0;

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    /// <summary>A text that is not null.</summary>
    public string Text() => NullableText() ?? throw new InvalidDataException("a text is missing");

    public string? NullableText()
    {
        var length = Int16();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>Bytes behind their length; none for null.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        var length = Int32();
        return length < 0 ? [] : Take(length);
    }

    /// <summary>A list behind its length; none for null.</summary>
    public List<T> List<T>(Func<KafkaReader, T> read)
    {
        // An item has at least one byte: a length that is a lie must not take memory.
        var count = Int32();
        if (count > message.Length - _at)
        {
            throw new InvalidDataException($"a list of {count} items does not fit into it");
        }

        List<T> items = new(Math.Clamp(count, 0, MostAtFirst));
        for (var i = 0; i < count; i++)
        {
            items.Add(read(this));
        }

        return items;
    }

    /// <summary>Partitions behind their topics.</summary>
    public List<(KafkaPartition Partition, T Answer)> Partitions<T>(Func<KafkaReader, T> read) => [.. List(t =>
    {
        var topic = t.Text();
        return t.List(p => (new KafkaPartition(topic, p.Int32()), read(p)));
    }).SelectMany(t => t)];

    /// <summary>A host and a port.</summary>
    public string Address()
    {
        var host = Text();
        return string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{Int32()}");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > message.Length - _at)
        {
            throw new InvalidDataException("it ends too early");
        }

        var taken = message.Span.Slice(_at, length);
        _at += length;
        return taken;
    }
}
