using Godwit.ClickHouse;
using Godwit.Operations;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What a step of a mutation sends.</summary>
/// <param name="Command">What it does.</param>
/// <param name="Formatted">The same in the server's writing; null when the server is too old to tell.</param>
/// <param name="Undo">What undoes it; null or empty for nothing.</param>
/// <param name="UndoFormatted">The same in the server's writing.</param>
internal sealed record MutationArguments(string Command, string? Formatted, string? Undo, string? UndoFormatted);

/// <summary>What is journaled before a mutation is sent.</summary>
/// <param name="Command">The command.</param>
/// <param name="Known">The mutations that the table knew of before.</param>
internal sealed record MutationIntent(string Command, IReadOnlyList<string> Known);

/// <summary>A mutation that is ours.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Table">The UUID of its table: one that is made anew begins to count anew.</param>
internal sealed record MutationMark(string Id, Guid Table)
{
    /// <summary>There is none any more: its table is gone.</summary>
    public static MutationMark Gone { get; } = new("", Guid.Empty);
}

/// <summary>
/// Starts a mutation and follows it. The server keeps a mutation before it answers, so one whose answer was lost is among those that were not there
/// before. The server may have rewritten its command; one that it has accepted is never sent again.
/// </summary>
internal sealed class Mutate : IStep
{
    public const string Name = "mutate";
    private const string Forward = "forward";

    public string Kind => Name;

    /// <summary>Shards side by side.</summary>
    public bool IsSideBySide => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var arguments = context.Arguments<MutationArguments>();
        await context.Brakes.PassAsync(ct);
        await MutateAsync(context, Forward, arguments.Command, arguments.Formatted, ct);
        context.Board.Finish(context.Step.Index, context.Step.RowsTotal ?? 0);
    }

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Shared<MutationSpec>().Irreversible && await FindAsync(context, Forward, context.Arguments<MutationArguments>().Formatted, ct) is not null)
        {
            throw new StepFailedException(WayBack.Refusal(context.Step.Description));
        }
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var arguments = context.Arguments<MutationArguments>();
        if (await FindAsync(context, Forward, arguments.Formatted, ct) is not { } id)
        {
            return;
        }

        if (!context.Journal.Has(Done(context, Forward)))
        {
            await KillAsync(context, id, ct);
        }

        if (!string.IsNullOrWhiteSpace(arguments.Undo))
        {
            await MutateAsync(context, "undo", arguments.Undo, arguments.UndoFormatted, ct);
        }
    }

    private static async Task MutateAsync(StepContext context, string direction, string command, string? formatted, CancellationToken ct)
    {
        if (context.Journal.Has(Done(context, direction)))
        {
            return;
        }

        var id = await FindAsync(context, direction, formatted, ct) ?? await StartAsync(context, direction, command, formatted, ct);
        if (!await Mutations.FollowAsync(context, context.Shared<MutationSpec>().Table, id, ct))
        {
            throw new NeedsOperatorException(
                $"Mutation {id} of {context.Shared<MutationSpec>().Table} on {context.Step.Node} was killed by somebody, or ended so long ago that the server has forgotten it. "
                + "Look at the rows. `resume` takes it as done; `rollback` undoes it.")
            {
                OnTold = () => context.Journal.FactAsync(Done(context, direction), id),
            };
        }

        await context.Journal.FactAsync(Done(context, direction), id);
    }

    /// <summary>The mutation of a direction, whether its answer came or not; null when it was never started.</summary>
    private static async Task<string?> FindAsync(StepContext context, string direction, string? formatted, CancellationToken ct)
    {
        var table = context.Shared<MutationSpec>().Table;
        if (context.Journal.Find<MutationMark>(Id(context, direction)) is { } known && known != MutationMark.Gone)
        {
            return known.Table == await UuidAsync(context, ct)
                ? known.Id
                : throw new NeedsOperatorException(
                    $"{table} on {context.Step.Node} is not the table that mutation {known.Id} was sent to: somebody has made it anew. "
                    + "`resume` takes the one that is there for it from now on, and sends the mutation if it is still to be done; a rollback leaves its rows as they are.")
                {
                    OnTold = () => context.Journal.FactAsync(Id(context, direction), MutationMark.Gone),
                };
        }

        if (context.Journal.FindOpen<MutationIntent>(direction) is not { } cutOff)
        {
            return null;
        }

        var since = (await Mutations.ListAsync(context.Gateway, table, ct)).Where(m => !cutOff.Known.Contains(m.Id, StringComparer.Ordinal)).ToList();
        var wanted = formatted ?? Mutations.Normal(cutOff.Command);
        if (since.Find(m => Mutations.Normal(m.Command) == wanted) is { } found)
        {
            return await KeepAsync(context, direction, found.Id, ct);
        }

        var isAccepted = context.Journal.Has(Accepted(context, direction));
        return since switch
        {
            [] when !isAccepted => null,
            [var only] when isAccepted => await KeepAsync(context, direction, only.Id, ct),
            [] => throw new OutcomeUnknownException($"{context.Step.Node} has accepted a mutation of {table}, and does not show it."),
            _ => throw new NeedsOperatorException(
                $"Which mutation of {table} on {context.Step.Node} is ours cannot be told: the answer was lost, and {string.Join(", ", since.Select(m => m.Id))} came since. "
                + $"Look at them in system.mutations. `resume` follows {since[^1].Id} as ours.")
            {
                OnTold = () => KeepAsync(context, direction, since[^1].Id, CancellationToken.None),
            },
        };
    }

    private static async Task<string> StartAsync(StepContext context, string direction, string command, string? formatted, CancellationToken ct)
    {
        var spec = context.Shared<MutationSpec>();
        var before = await Mutations.ListAsync(context.Gateway, spec.Table, ct);
        var wanted = formatted ?? Mutations.Normal(command);
        if (before.FirstOrDefault(m => !m.IsDone && Mutations.Normal(m.Command) == wanted) is { } equal)
        {
            return await KeepAsync(context, direction, equal.Id, ct);
        }

        await context.Journal.IntentAsync(direction, new MutationIntent(command, before.Select(m => m.Id).ToList()));
        Dictionary<string, string> settings = new(spec.Settings, StringComparer.Ordinal);
        if ((await context.DialectAsync(ct)).Capabilities.HasMutationsSync)
        {
            settings["mutations_sync"] = "0";
        }

        var options = new QueryOptions { QueryId = context.Services.NewQueryId(context.Step.Index), Settings = settings };
        await context.SendAsync(direction, $"ALTER TABLE {spec.Table.ToSql()} {command}", options, ct);
        await context.Journal.FactAsync(Accepted(context, direction), true);
        return (await FindAsync(context, direction, formatted, ct))!;
    }

    private static async Task KillAsync(StepContext context, string id, CancellationToken ct)
    {
        var table = context.Shared<MutationSpec>().Table;
        var condition = $"{TableReader.Where(table, "table")} AND mutation_id = {Sql.Literal(id)}";
        await context.ChangeAsync("kill", ct, $"KILL MUTATION WHERE {condition} SYNC");
        while (await context.Gateway.ScalarAsync<long>($"SELECT count() FROM system.mutations WHERE {condition} AND NOT is_done", ct: ct) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), context.Clock, ct);
        }
    }

    // Facts belong to the operation, whose steps are the shards.
    private static string Id(StepContext context, string direction) => $"mutation/{direction}/{context.Step.Index}";

    private static string Done(StepContext context, string direction) => $"done/{direction}/{context.Step.Index}";

    private static string Accepted(StepContext context, string direction) => $"accepted/{direction}/{context.Step.Index}";

    private static async Task<string> KeepAsync(StepContext context, string direction, string id, CancellationToken ct)
    {
        await context.Journal.FactAsync(Id(context, direction), new MutationMark(id, await UuidAsync(context, ct)));
        await context.Journal.OutcomeAsync(direction, new { mutation = id });
        return id;
    }

    private static async Task<Guid> UuidAsync(StepContext context, CancellationToken ct) =>
        await TableReader.FindUuidAsync(context.Gateway, context.Shared<MutationSpec>().Table, ct) ?? Guid.Empty;
}
