using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>A table takes over the name of another one.</summary>
/// <param name="Live">The name.</param>
/// <param name="Incoming">The table that is to have it.</param>
/// <param name="Outgoing">The name that the other table gets.</param>
internal sealed record TakeOver(QualifiedName Live, QualifiedName Incoming, QualifiedName Outgoing)
{
    /// <summary>The UUID of the table that has the name before, where names are exchanged; null where tables are renamed.</summary>
    public Guid? Before { get; init; }

    /// <summary>The UUID of the one that has it then.</summary>
    public Guid? After { get; init; }

    /// <summary>The same the other way round.</summary>
    public TakeOver Back() => new(Live, Outgoing, Incoming) { Before = After, After = Before };
}

/// <summary>
/// Names change hands: with EXCHANGE TABLES, which is one instant, or, where the server has none, with a RENAME of two tables, which is not: when the server dies between
/// them, only the first is renamed. Three different names are used, so that the tables that are there tell how far it came.
/// </summary>
internal static class TableNames
{
    /// <summary>Whether it has happened. What has happened by half is finished.</summary>
    /// <exception cref="NeedsOperatorException">Tables are there, or are not, that nobody can make sense of.</exception>
    public static async Task<bool> HaveChangedAsync(StepContext context, TakeOver change, CancellationToken ct)
    {
        if (change.After is not null)
        {
            var live = await TableReader.FindUuidAsync(context.Gateway, change.Live, ct);
            return live == change.After || (live == change.Before ? false : throw Unknown(change, $"{change.Live} is neither of the two tables"));
        }

        var there = await ExistingAsync(context, [change.Live, change.Incoming, change.Outgoing], ct);
        switch (there.Contains(change.Live), there.Contains(change.Incoming), there.Contains(change.Outgoing))
        {
            case (true, _, false):
                return false;
            case (true, false, true):
                return true;
            case (false, true, true):
                await context.ChangeAsync("rename-rest", ct, $"RENAME TABLE {change.Incoming.ToSql()} TO {change.Live.ToSql()}");
                return true;
            default:
                throw Unknown(change, there.Count == 0 ? "none of them is there" : $"{string.Join(", ", there)} {(there.Count == 1 ? "is" : "are")} there");
        }
    }

    /// <summary>Makes it so.</summary>
    public static async Task ChangeAsync(StepContext context, TakeOver change, CancellationToken ct)
    {
        context.Board.Activity = "exchanging the names";
        await context.ChangeAsync("exchange", ct, change.After is not null
            ? $"EXCHANGE TABLES {change.Live.ToSql()} AND {change.Incoming.ToSql()}"
            : $"RENAME TABLE {change.Live.ToSql()} TO {change.Outgoing.ToSql()}, {change.Incoming.ToSql()} TO {change.Live.ToSql()}");
        if (!await HaveChangedAsync(context, change, ct))
        {
            throw Unknown(change, "the server has answered, and nothing has changed");
        }
    }

    /// <summary>Those of some tables of one database that are there.</summary>
    public static async Task<IReadOnlyList<QualifiedName>> ExistingAsync(StepContext context, IReadOnlyList<QualifiedName> tables, CancellationToken ct)
    {
        var names = (await context.Gateway.QueryAsync(
            $"SELECT name FROM system.tables WHERE database = {Sql.Literal(tables[0].Database)} AND name IN ({string.Join(", ", tables.Select(t => Sql.Literal(t.Table)))})", ct: ct)).Select(r => r["name"]).ToHashSet(StringComparer.Ordinal);
        return [.. tables.Distinct().Where(t => names.Contains(t.Table))];
    }

    /// <summary>Those of some tables, of any database, that are there.</summary>
    public static async Task<IReadOnlyList<QualifiedName>> ExistingOfAllAsync(StepContext context, IReadOnlyList<QualifiedName> tables, CancellationToken ct)
    {
        List<QualifiedName> there = [];
        foreach (var database in tables.GroupBy(t => t.Database, StringComparer.Ordinal))
        {
            there.AddRange(await ExistingAsync(context, [.. database], ct));
        }

        return there;
    }

    private static NeedsOperatorException Unknown(TakeOver change, string what) => new(
        $"{change.Incoming} was to take over the name {change.Live}, and {change.Outgoing} to be the name of the table before it: {what}. Somebody renamed or made one of them: put the names right, then `resume` or `rollback`.");
}
