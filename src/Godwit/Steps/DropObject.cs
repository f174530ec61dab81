using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What is about to be dropped.</summary>
/// <param name="Kind">TABLE, DICTIONARY or VIEW.</param>
/// <param name="Ddl">The statement that makes it again.</param>
/// <param name="Uuid">Its UUID; empty on a server that is too old to have one.</param>
/// <param name="Obstacle">Why it cannot be dropped with a way back; null when it can.</param>
internal sealed record Droppable(string Kind, string Ddl, Guid Uuid, string? Obstacle);

/// <summary>Takes a table away by another name, a view or a dictionary by keeping its definition.</summary>
internal sealed class DropObject : IStep
{
    public const string Name = "drop-object";
    private const string Found = "found";

    /// <summary>https://clickhouse.com/docs/whats-new/changelog/2020: DROP … SYNC came with 20.10, DROP VIEW before it.</summary>
    private static readonly ServerVersion KindsAndSync = new(20, 10);

    public string Kind => Name;

    public bool IsGated => true;

    /// <summary>The statement that drops something, as the server wants it: old ones drop whatever it is as a table, and wait of their own accord.</summary>
    public static async Task<string> StatementAsync(ClickHouseGateway gateway, string kind, QualifiedName name, CancellationToken ct) =>
        ServerVersion.Parse(await gateway.ScalarAsync<string>("SELECT version()", ct: ct)) < KindsAndSync ? $"DROP TABLE IF EXISTS {name.ToSql()}" : $"DROP {kind} IF EXISTS {name.ToSql()} SYNC";

    /// <summary>Looks at what is to be dropped; null when it is not there.</summary>
    public static async Task<Droppable?> FindAsync(ClickHouseGateway gateway, QualifiedName name, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync($"SELECT * FROM system.tables WHERE {TableReader.Where(name, "name")}", ct: ct);
        if (rows is not [var row])
        {
            return null;
        }

        var (engine, ddl) = (row["engine"], row["create_table_query"]);
        var kind = engine switch { "Dictionary" => "DICTIONARY", "View" or "MaterializedView" or "LiveView" or "WindowView" => "VIEW", _ => "TABLE" };
        var obstacle = engine switch
        {
            "MaterializedView" when !SqlText.Tokens(ddl).Take(8).Any(t => t.IsWord(ddl, "TO")) => "holds rows of its own in a hidden table, which would be lost. Use `sql` with `irreversible: true` if they may be.",
            _ when kind != "TABLE" && ddl.Contains("[HIDDEN]", StringComparison.Ordinal) => "has a secret in its definition, which the server does not show, so nobody could make it again. Use `sql`, with an undo.",
            _ => null,
        };
        return new Droppable(kind, ddl, row.Columns.Contains("uuid", StringComparer.Ordinal) ? row.Guid("uuid") : Guid.Empty, obstacle);
    }

    /// <summary>Ends the way back: drops the table that was kept.</summary>
    public static async Task CleanUpAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<DropSpec>();
        foreach (var step in context.Operation.Steps)
        {
            var own = new StepContext(context.Services, step);
            if (own.Journal.Find<Droppable>(Fact(step.Index)) is not { Kind: "TABLE" } was || await FindAsync(own.Gateway, spec.Kept, ct) is not { } kept)
            {
                continue;
            }

            if (kept.Uuid != was.Uuid)
            {
                throw new NeedsOperatorException($"{spec.Kept} on {step.Node} is not the table that was put aside, so it is not dropped. Look what it is, and drop it by hand if it is not wanted.");
            }

            // Without an override of max_table_size_to_drop: that limit is there for tables such as this one.
            await own.ChangeAsync("drop-kept", ct, await StatementAsync(own.Gateway, "TABLE", spec.Kept, ct));
        }
    }

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<DropSpec>();
        var fact = Fact(context.Step.Index);
        await LongStatement.KillOwnAsync(context, ct);
        var present = await FindAsync(context.Gateway, spec.Name, ct);
        if (context.Journal.Find<Droppable>(fact) is not { } was)
        {
            was = present ?? throw new StepFailedException($"There is no {spec.Name} on {context.Step.Node} to be dropped. Make it again and `resume`, or `rollback`.");
            if (was.Obstacle is not null)
            {
                throw new StepFailedException($"{spec.Name} on {context.Step.Node} {was.Obstacle}");
            }

            await context.Journal.FactAsync(fact, was);
        }

        // Not there any more: the answer was lost.
        if (present is not null)
        {
            if (present.Uuid != was.Uuid)
            {
                throw new StepFailedException($"Something else is called {spec.Name} on {context.Step.Node} since it was looked at. Make sure that it is to be dropped; then `rollback` and run the migration again.");
            }

            await context.ChangeAsync("drop", ct, was.Kind == "TABLE" ? Rename(spec.Name, spec.Kept) : await StatementAsync(context.Gateway, was.Kind, spec.Name, ct));
        }
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<DropSpec>();
        var isBegun = context.Journal.IsDone("drop") || context.Journal.FindOpen<object>("drop") is not null;
        if (!isBegun || context.Journal.Find<Droppable>(Fact(context.Step.Index)) is not { } was)
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        var present = await FindAsync(context.Gateway, spec.Name, ct);
        if (present is null)
        {
            await context.ChangeAsync("make-again", ct, was.Kind == "TABLE" ? Rename(spec.Kept, spec.Name) : was.Ddl);
        }
        else if (present.Uuid != was.Uuid && (was.Kind == "TABLE" || present.Ddl != was.Ddl))
        {
            throw new StepFailedException($"Something else is called {spec.Name} on {context.Step.Node} by now. Move it out of the way, then `rollback` again.");
        }
    }

    private static string Rename(QualifiedName from, QualifiedName to) => $"RENAME TABLE {from.ToSql()} TO {to.ToSql()}";

    private static string Fact(int step) => $"{Found}/{step}";
}
