using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>Positions in the block log of a table: every row has the number of the insert block that it came in.</summary>
internal static class Positions
{
    /// <summary>The highest position in a table; 0 when it is empty.</summary>
    public static Task<long> LastAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct) => gateway.ScalarAsync<long>(
        $"SELECT max(max_block_number) FROM system.parts WHERE {TableReader.Where(table, "table")} AND active", ct: ct);

    /// <summary>
    /// A position that everything at or below it has reached: the highest one, once the ALTERs that were running then have ended.
    /// Inserts become visible in the order of their numbers; parts that an ALTER moves into the table do not.
    /// </summary>
    public static async Task<long> ReadAsync(StepContext context, QualifiedName table, long atLeast, CancellationToken ct)
    {
        var last = await LastAsync(context.Gateway, table, ct);
        await WaitForStatementsAsync(context, "query_kind = 'Alter'", () => Task.CompletedTask, ct);
        return Math.Max(last, atLeast);
    }

    /// <summary>The condition for the rows after one position up to another, without some in between.</summary>
    public static string Between(long after, long upTo, IReadOnlyList<long> without) =>
        $"_block_number > {after} AND _block_number <= {upTo}" + (without.Count == 0 ? "" : $" AND _block_number NOT IN ({string.Join(", ", without)})");

    /// <summary>Waits for the statements of others that are running now, and does something meanwhile.</summary>
    public static async Task WaitForStatementsAsync(StepContext context, string condition, Func<Task> meanwhile, CancellationToken ct)
    {
        var others = $"{condition} AND NOT startsWith(query_id, {Sql.Literal(context.Services.QueryPrefix)})";
        var running = await IdsAsync(context, others, ct);
        while (running.Count > 0)
        {
            context.Board.Brake = $"waiting for statements of other clients that are running ({running.Count}), such as {running[0]}";
            await meanwhile();
            await Task.Delay(TimeSpan.FromMilliseconds(50), context.Clock, ct);
            running = await IdsAsync(context, $"query_id IN ({string.Join(", ", running.Select(Sql.Literal))})", ct);
        }

        context.Board.Brake = null;
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(StepContext context, string condition, CancellationToken ct) =>
        (await context.Gateway.QueryAsync($"SELECT query_id FROM system.processes WHERE {condition}", ct: ct)).Select(r => r["query_id"]).ToList();
}
