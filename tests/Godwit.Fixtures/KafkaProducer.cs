using System.Globalization;
using System.Text;
using Godwit.Kafka;

namespace Godwit.Fixtures;

/// <summary>
/// Writes messages into the partitions of a topic and never stops, and keeps the log of what the broker has acknowledged. Every message has an id of its
/// own and is sent once: one whose answer was lost may be there or not. While there is no broker, it tries on.
/// </summary>
public sealed class KafkaProducer : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    private readonly string _broker;
    private readonly string _topic;
    private readonly Func<long, string> _line;
    private readonly int _batch;
    private readonly TimeSpan _pause;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _log = new();
    private readonly List<long> _acknowledged = [];
    private readonly List<long> _unknown = [];
    private readonly Task _task;
    private long _nextId;

    private KafkaProducer(KafkaFixture kafka, string topic, Func<long, string> line, long firstId, int batch, TimeSpan pause)
    {
        (_broker, _topic, _line, _nextId, _batch, _pause) = (kafka.Address, topic, line, firstId, batch, pause);
        _task = Task.Run(RunAsync);
    }

    /// <summary>The ids of messages that the broker has acknowledged: each is there exactly once.</summary>
    public IReadOnlyList<long> Acknowledged
    {
        get
        {
            lock (_log)
            {
                return [.. _acknowledged];
            }
        }
    }

    /// <summary>The ids of messages whose answer was lost: each is there once or not at all.</summary>
    public IReadOnlyList<long> Unknown
    {
        get
        {
            lock (_log)
            {
                return [.. _unknown];
            }
        }
    }

    /// <summary>The UUID that belongs to an id, for lines that hold one and for whoever looks for them.</summary>
    public static Guid Uuid(long id) => new((int)(id >> 32), (short)(id >> 16), (short)id, 0x80, 0, 0, 0, 0, 0, 0, 1);

    /// <summary>Starts one that writes until it is stopped.</summary>
    /// <param name="kafka">The broker.</param>
    /// <param name="topic">The topic, which must exist.</param>
    /// <param name="line">What is written for an id, a line of JSON; the default has an id and a uuid.</param>
    /// <param name="firstId">The first id.</param>
    /// <param name="batch">How many messages are sent at once, to one partition after the other.</param>
    /// <param name="pause">How long it waits between two batches.</param>
    public static KafkaProducer Start(KafkaFixture kafka, string topic, Func<long, string>? line = null, long firstId = 1, int batch = 20, TimeSpan? pause = null)
    {
        ArgumentNullException.ThrowIfNull(kafka);
        return new KafkaProducer(kafka, topic, line ?? Line, firstId, batch, pause ?? TimeSpan.FromMilliseconds(10));
    }

    /// <summary>Writes messages with the ids from one to another, and returns when the broker has acknowledged them all.</summary>
    public static async Task WriteAsync(KafkaFixture kafka, string topic, long firstId, int count, Func<long, string>? line = null)
    {
        ArgumentNullException.ThrowIfNull(kafka);
        using var client = new KafkaClient([kafka.Address], TimeProvider.System);
        var partitions = await client.PartitionsAsync([topic], CancellationToken.None);
        using var connection = await KafkaConnection.ConnectAsync(kafka.Address, CancellationToken.None);
        foreach (var (chunk, i) in Ids(firstId, count).Chunk(1000).Select((c, i) => (c, i)))
        {
            await SendAsync(connection, partitions[i % partitions.Count], chunk.Select(line ?? Line), CancellationToken.None);
        }
    }

    /// <summary>Waits for the answer to what was sent, and writes no more.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _task;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static IEnumerable<long> Ids(long first, int count) => Enumerable.Range(0, count).Select(i => first + i);

    private static string Line(long id) => string.Create(CultureInfo.InvariantCulture, $$"""{"id":{{id}},"uuid":"{{Uuid(id)}}"}""");

    private async Task RunAsync()
    {
        for (var turn = 0; !_stop.IsCancellationRequested;)
        {
            try
            {
                using var client = new KafkaClient([_broker], TimeProvider.System);
                using var connection = await KafkaConnection.ConnectAsync(_broker, CancellationToken.None);
                var partitions = await client.PartitionsAsync([_topic], _stop.Token);
                while (!_stop.IsCancellationRequested)
                {
                    await SendLoggedAsync(connection, partitions[turn++ % partitions.Count]);
                    await Task.Delay(_pause, _stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // It is stopped.
            }
            catch (KafkaException)
            {
                await Task.Delay(RetryAfter);
            }
        }
    }

    private async Task SendLoggedAsync(KafkaConnection connection, KafkaPartition partition)
    {
        var ids = Ids(_nextId, _batch).ToList();
        _nextId += _batch;
        try
        {
            await SendAsync(connection, partition, ids.Select(_line), CancellationToken.None);
            Log(_acknowledged, ids);
        }
        catch (KafkaException)
        {
            Log(_unknown, ids);
            throw;
        }
    }

    private void Log(List<long> log, IEnumerable<long> ids)
    {
        lock (_log)
        {
            log.AddRange(ids);
        }
    }

    // Acknowledged by all replicas in sync, within four seconds.
    private static async Task SendAsync(KafkaConnection connection, KafkaPartition partition, IEnumerable<string> lines, CancellationToken ct)
    {
        var messages = Messages(lines);
        var answers = await connection.AskAsync(
            KafkaRequest.Produce,
            [1],
            (w, _) => w.Int16(-1).Int32(4000).Partitions([partition], (p, _) => p.Bytes(messages.Span)),
            (r, _) => r.Partitions(p => (Error: p.Int16(), Offset: p.Int64())),
            ct);
        KafkaErrors.Check(connection.Address, $"that it has stored messages of {partition}", answers[0].Answer.Error, 0);
    }

    // In the first format: checksum, format, attributes, no key, value.
    private static ReadOnlyMemory<byte> Messages(IEnumerable<string> lines)
    {
        var messages = new KafkaWriter();
        foreach (var line in lines)
        {
            var content = new KafkaWriter().Int8(0).Int8(0).Int32(-1).Bytes(Encoding.UTF8.GetBytes(line)).Written;
            messages.Int64(0).Int32(content.Length + 4).Int32((int)Crc32(content.Span)).Raw(content.Span);
        }

        return messages.Written;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
            }
        }

        return ~crc;
    }
}
