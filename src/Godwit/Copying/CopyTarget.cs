using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Copying;

/// <summary>The table that a copy fills.</summary>
internal sealed class CopyTarget(StepContext context, CopySpec spec, CopyShape shape)
{
    // https://clickhouse.com/docs/operations/settings/settings#mutations_sync: 2 waits for all replicas.
    private static readonly Dictionary<string, string> Waiting = new(StringComparer.Ordinal) { ["mutations_sync"] = "2", ["max_execution_time"] = "0" };
    private static readonly Dictionary<string, string> NotWaiting = new(StringComparer.Ordinal) { ["max_execution_time"] = "0" };

    /// <summary>Whether every row that is sent stays a row.</summary>
    public bool KeepsRows => shape.KeepsRows;

    /// <summary>How many rows a stretch of keys has, and which.</summary>
    public async Task<Tally> CountAsync(KeyRange range, CancellationToken ct)
    {
        var row = (await context.Gateway.QueryAsync(
            $"SELECT count() AS n, toString(sum({shape.Bits(Sql.Identifier(spec.Key))})) AS bits FROM {spec.To.ToSql()} WHERE {Condition(range)}", ct: ct))[0];
        return new Tally(row.Int64("n"), row["bits"]);
    }

    /// <summary>Deletes the rows of a stretch of keys. It may be done twice: rows that are sent afterwards are not touched.</summary>
    public async Task ClearAsync(KeyRange range, CancellationToken ct)
    {
        if ((await CountAsync(range, ct)).Rows > 0)
        {
            context.Board.Activity = $"deleting what was copied up to {spec.Key} {range.UpTo}";
            await context.Journal.IntentAsync("clear", range);
            var waits = (await context.DialectAsync(ct)).Capabilities.HasMutationsSync;
            await LongStatement.RunAsync(context, $"ALTER TABLE {spec.To.ToSql()} DELETE WHERE {Condition(range)}", waits ? Waiting : NotWaiting, _ => { }, ct);
            if (!waits)
            {
                await AwaitMutationsAsync(ct);
            }

            await context.Journal.OutcomeAsync("clear", new { });
        }
    }

    // Servers without that setting, such as those of 2018, answer as soon as they have accepted a mutation.
    private async Task AwaitMutationsAsync(CancellationToken ct)
    {
        foreach (var mutation in (await Mutations.ListAsync(context.Gateway, spec.To, ct)).Where(m => !m.IsDone))
        {
            await Mutations.FollowAsync(context, spec.To, mutation.Id, ct);
        }
    }

    private string Condition(KeyRange range) => range.Condition(Sql.Identifier(spec.Key), shape.Kind);
}
