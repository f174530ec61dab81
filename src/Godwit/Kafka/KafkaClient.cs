namespace Godwit.Kafka;

/// <summary>A partition of a topic.</summary>
internal readonly record struct KafkaPartition(string Topic, int Number)
{
    public override string ToString() => $"{Topic}[{Number}]";
}

/// <summary>Where to look in a partition.</summary>
internal enum KafkaEnd
{
    /// <summary>The oldest message that is kept.</summary>
    Earliest = -2,

    /// <summary>Behind the newest message: the offset that the next one gets.</summary>
    Latest = -1,
}

/// <summary>What a topic keeps.</summary>
/// <param name="Time">How long a message is kept; null for ever.</param>
/// <param name="Bytes">How many bytes of a partition are kept; null for all.</param>
internal sealed record KafkaRetention(TimeSpan? Time, long? Bytes);

/// <summary>
/// What Godwit asks a Kafka cluster, from 0.9 to 4.x: where partitions begin and end, what groups have read, how long messages are kept. It asks the
/// leader of each partition and the coordinator of each group, without TLS or login. One question at a time. Every failure is a
/// <see cref="KafkaException"/>.
/// </summary>
/// <param name="brokers">Where to begin, host:port each.</param>
/// <param name="clock">The clock.</param>
internal sealed class KafkaClient(IReadOnlyList<string> brokers, TimeProvider clock) : IDisposable
{
    // Long enough for a leader to change, and for a broker to make the topic of the offsets when it is asked for a group first.
    private const int Attempts = 25;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(400);

    private readonly Dictionary<string, KafkaConnection> _connections = new(StringComparer.Ordinal);

    /// <summary>The partitions of topics, and who leads them. Asking makes no topic.</summary>
    public Task<IReadOnlyList<KafkaPartition>> PartitionsAsync(IReadOnlyList<string> topics, CancellationToken ct) => PatientlyAsync<IReadOnlyList<KafkaPartition>>(
        async () => [.. (await LeadersAsync(topics, ct)).Keys.OrderBy(p => p.Topic, StringComparer.Ordinal).ThenBy(p => p.Number)], ct);

    /// <summary>The offsets at one end of partitions.</summary>
    public Task<IReadOnlyDictionary<KafkaPartition, long>> OffsetsAsync(IReadOnlyCollection<KafkaPartition> partitions, KafkaEnd end, CancellationToken ct) => PatientlyAsync(
        async () =>
        {
            Dictionary<KafkaPartition, long> offsets = [];
            foreach (var (leader, led) in await ByLeaderAsync(partitions, ct))
            {
                foreach (var (partition, offset) in await KafkaLogs.OffsetsAsync(leader, led, end, ct))
                {
                    offsets[partition] = offset;
                }
            }

            return (IReadOnlyDictionary<KafkaPartition, long>)offsets;
        },
        ct);

    /// <summary>
    /// When a message was written, or the newest one of those that were written and compressed together with it.
    /// </summary>
    /// <returns>Null when the message carries no time, as before 0.10, and when it is not there any more.</returns>
    public Task<DateTimeOffset?> TimeAsync(KafkaPartition partition, long offset, CancellationToken ct) => PatientlyAsync(
        async () => await KafkaLogs.TimeAsync((await ByLeaderAsync([partition], ct)).Single().Leader, partition, offset, ct), ct);

    /// <summary>What a group has committed: the offset that it reads next. A partition of which it has committed nothing is left out.</summary>
    public Task<IReadOnlyDictionary<KafkaPartition, long>> CommittedAsync(string group, IReadOnlyCollection<KafkaPartition> partitions, CancellationToken ct) => PatientlyAsync(
        async () => await KafkaGroups.CommittedAsync(await CoordinatorAsync(group, ct), group, partitions, ct), ct);

    /// <summary>Sets where a group reads next. Nobody may be reading in it: only its members may then.</summary>
    public Task CommitAsync(string group, IReadOnlyDictionary<KafkaPartition, long> offsets, CancellationToken ct) => PatientlyAsync(
        async () =>
        {
            await KafkaGroups.CommitAsync(await CoordinatorAsync(group, ct), group, offsets, ct);
            return true;
        },
        ct);

    /// <summary>What a topic keeps; null when the broker cannot be asked, which is before 0.11, or does not let a client know that has not logged in.</summary>
    public Task<KafkaRetention?> RetentionAsync(string topic, CancellationToken ct) => PatientlyAsync(
        async () => await KafkaTopics.RetentionAsync(await AnyAsync(ct), topic, ct), ct);

    /// <inheritdoc/>
    public void Dispose() => Forget();

    private async Task<IReadOnlyDictionary<KafkaPartition, string>> LeadersAsync(IReadOnlyList<string> topics, CancellationToken ct) =>
        await KafkaTopics.LeadersAsync(await AnyAsync(ct), topics, ct);

    private async Task<IReadOnlyList<(KafkaConnection Leader, List<KafkaPartition> Led)>> ByLeaderAsync(IReadOnlyCollection<KafkaPartition> partitions, CancellationToken ct)
    {
        var leaders = await LeadersAsync([.. partitions.Select(p => p.Topic).Distinct(StringComparer.Ordinal)], ct);
        List<(KafkaConnection, List<KafkaPartition>)> led = [];
        foreach (var group in partitions.GroupBy(p => leaders.GetValueOrDefault(p) ?? throw new KafkaException($"There is no partition {p} any more."), StringComparer.Ordinal))
        {
            led.Add((await ConnectAsync(group.Key, ct), [.. group]));
        }

        return led;
    }

    private async Task<KafkaConnection> CoordinatorAsync(string group, CancellationToken ct) =>
        await ConnectAsync(await KafkaGroups.CoordinatorAsync(await AnyAsync(ct), group, ct), ct);

    private async Task<KafkaConnection> AnyAsync(CancellationToken ct)
    {
        List<string> failures = [];
        foreach (var broker in brokers)
        {
            try
            {
                return await ConnectAsync(broker, ct);
            }
            catch (KafkaException e)
            {
                failures.Add(e.Message);
            }
        }

        // Not worth a second try: each of them had its time.
        throw new KafkaException(string.Join(' ', failures));
    }

    private async Task<KafkaConnection> ConnectAsync(string address, CancellationToken ct)
    {
        if (!_connections.TryGetValue(address, out var connection))
        {
            _connections[address] = connection = await KafkaConnection.OpenAsync(address, ct);
        }

        return connection;
    }

    // What is only so for a moment, as while leaders change, is asked again; on new connections, since one that failed may still bring an old answer.
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> ask, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask();
            }
            catch (KafkaException e)
            {
                Forget();
                if (!e.IsTransient || attempt == Attempts)
                {
                    throw;
                }
            }

            await Task.Delay(Pause, clock, ct);
        }
    }

    private void Forget()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }

        _connections.Clear();
    }
}
