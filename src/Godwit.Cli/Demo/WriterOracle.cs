using System.Globalization;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>What a table holds, compared with what it must hold.</summary>
/// <param name="Rows">Rows in the table.</param>
/// <param name="Expected">Rows that must be there: those of before, and all that were acknowledged.</param>
/// <param name="Lost">Ids that must be there and are not.</param>
/// <param name="Duplicated">Rows that are there though another one has the same id.</param>
/// <param name="Doubtful">Ids of refused and unknown inserts that are there; each may be.</param>
/// <param name="Examples">Some of the lost and duplicated ids, in words.</param>
internal sealed record OracleVerdict(long Rows, long Expected, long Lost, long Duplicated, long Doubtful, IReadOnlyList<string> Examples)
{
    /// <summary>Every acknowledged row is there exactly once, and every other one at most once.</summary>
    public bool IsRight => Lost == 0 && Duplicated == 0;
}

/// <summary>
/// Compares a table with the log of its writers. The server counts, and ids travel only as examples of a mismatch, so that it
/// works for many millions of rows. Nobody must write meanwhile.
/// </summary>
/// <param name="gateway">The server.</param>
/// <param name="table">The table, or a view's target: whatever must hold each row once.</param>
/// <param name="idExpression">SQL of a row's id; see <see cref="WriterLog"/>.</param>
internal sealed class WriterOracle(ClickHouseGateway gateway, QualifiedName table, string idExpression)
{
    private const int RangesAtOnce = 200;
    private const int MostExamples = 5;
    private static readonly QueryOptions Patient = new() { Timeout = TimeSpan.FromMinutes(30) };

    /// <summary>Compares.</summary>
    public async Task<OracleVerdict> CompareAsync(WriterLog log, CancellationToken ct = default)
    {
        var acknowledged = log.Acknowledged();
        var all = (await gateway.QueryAsync($"SELECT count() AS present, uniqExact(id) AS ids FROM ({Ids})", Patient, ct))[0];
        var expected = acknowledged.Sum(r => r.Count);
        var lost = expected - await CountAsync(acknowledged, ct);
        var duplicated = all.Int64("present") - all.Int64("ids");
        return new OracleVerdict(
            all.Int64("present"),
            expected,
            lost,
            duplicated,
            await CountAsync(log.Doubtful(), ct),
            [.. lost > 0 ? await LostAsync(acknowledged, ct) : [], .. duplicated > 0 ? await DuplicatedAsync(ct) : []]);
    }

    private string Ids => $"SELECT toInt64({idExpression}) AS id FROM {table.ToSql()}";

    private async Task<long> CountAsync(IReadOnlyList<IdRange> ranges, CancellationToken ct)
    {
        // The ranges have nothing in common, so that the sum of their distinct ids is exact.
        var sum = 0L;
        foreach (var some in ranges.Chunk(RangesAtOnce))
        {
            sum += await gateway.ScalarAsync<long>(
                $"SELECT uniqExact(id) FROM ({Ids}) WHERE {string.Join(" OR ", some.Select(r => r.ToSql()))}", Patient, ct);
        }

        return sum;
    }

    private async Task<IReadOnlyList<string>> LostAsync(IReadOnlyList<IdRange> ranges, CancellationToken ct)
    {
        List<string> examples = [];
        foreach (var range in ranges)
        {
            var rows = await gateway.QueryAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"SELECT number FROM numbers({range.First}, {range.Count}) WHERE toInt64(number) NOT IN (SELECT id FROM ({Ids}) WHERE {range.ToSql()}) LIMIT {MostExamples}"),
                Patient,
                ct);
            examples.AddRange(rows.Select(r => $"lost: id {r["number"]}"));
            if (examples.Count >= MostExamples)
            {
                break;
            }
        }

        return examples;
    }

    private async Task<IReadOnlyList<string>> DuplicatedAsync(CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"SELECT id, count() AS copies FROM ({Ids}) GROUP BY id HAVING copies > 1 LIMIT {MostExamples}", Patient, ct);
        return [.. rows.Select(r => $"there {r["copies"]} times: id {r["id"]}")];
    }
}
