using Godwit.ClickHouse;

namespace Godwit.Fixtures;

/// <summary>
/// Does what a person does whose broker was away: a Kafka table of ClickHouse 26.7 may stay without partitions then for ever, with Kafka 0.9 at least, and
/// reads again when it is attached anew. Godwit waits for such a table, and so would a test.
/// </summary>
public sealed class KafkaWaker : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _work;

    private KafkaWaker(IServerFixture server, string database) => _work = WatchAsync(server, database, _end.Token);

    /// <summary>Watches the Kafka tables of a database until it is disposed.</summary>
    public static KafkaWaker Start(IServerFixture server, string database) => new(server, database);

    private static async Task WatchAsync(IServerFixture server, string database, CancellationToken ct)
    {
        using var gateway = server.Gateway();
        Dictionary<string, long> since = new(StringComparer.Ordinal);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Period, ct);
                await LookAsync(gateway, database, since, ct);
            }
            catch (Exception e) when (e is OperationCanceledException or ClickHouseException)
            {
                // The server is killed now and then, and the table may be held.
            }
        }
    }

    private static async Task LookAsync(ClickHouseGateway gateway, string database, Dictionary<string, long> since, CancellationToken ct)
    {
        var idle = (await gateway.QueryAsync(
            $"SELECT table FROM system.kafka_consumers WHERE database = {Sql.Literal(database)} GROUP BY table HAVING sum(length(assignments.topic)) = 0", ct: ct)).Select(r => r["table"]).ToHashSet(StringComparer.Ordinal);
        foreach (var table in since.Keys.Except(idle, StringComparer.Ordinal).ToList())
        {
            since.Remove(table);
        }

        foreach (var table in idle.Where(t => !since.TryAdd(t, TimeProvider.System.GetTimestamp()) && TimeProvider.System.GetElapsedTime(since[t]) > Longest))
        {
            since.Remove(table);
            var name = new QualifiedName(database, table).ToSql();
            await gateway.ExecuteAsync($"DETACH TABLE {name} SYNC", ct: CancellationToken.None);
            await gateway.ExecuteAsync($"ATTACH TABLE {name}", ct: CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _work;
        _end.Dispose();
    }
}
