using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What an ALTER step sends.</summary>
/// <param name="Forward">ALTER commands, each of which may be sent twice.</param>
/// <param name="Undo">The commands that take them back.</param>
internal sealed record AlterArguments(IReadOnlyList<string> Forward, IReadOnlyList<string> Undo)
{
    /// <summary>Whether the commands destroy values, which those that take them back do not bring back.</summary>
    public bool Destroys { get; init; }
}

/// <summary>Changes the table in place, where ClickHouse can, and follows the mutations that this starts.</summary>
internal sealed class AlterTable : IStep
{
    public const string Name = "alter-table";

    public string Kind => Name;

    public bool IsGated => true;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var arguments = context.Arguments<AlterArguments>();
        if (arguments.Destroys)
        {
            await context.Journal.FactAsync(Destroyed(context), true);
        }

        await AlterAsync(context, "alter", arguments.Forward, ct);
    }

    public Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        var told = $"told/{Destroyed(context)}";
        return !context.Journal.Has(Destroyed(context)) || context.Journal.Has(told)
            ? Task.CompletedTask
            : throw new NeedsOperatorException(
                $"'{context.Step.Description}' was sent, and it destroys values: a rollback gives {context.Shared<RebuildSpec>().Source} its old definition back, and not these. "
                + "Mend what failed and `resume`, or say `rollback` again; it will not be asked twice.")
            {
                OnTold = () => context.Journal.FactAsync(told, true),
            };
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => AlterAsync(context, "alter-back", context.Arguments<AlterArguments>().Undo, ct);

    // Facts belong to the operation, whose steps are the changes.
    private static string Destroyed(StepContext context) => $"destroyed/{context.Step.Index}";

    private static async Task AlterAsync(StepContext context, string name, IReadOnlyList<string> commands, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        Dictionary<string, string> settings = new(HelperTables.CreateSettings(spec.To), StringComparer.Ordinal) { ["alter_sync"] = "0", ["mutations_sync"] = "0" };
        var present = (await TableReader.ReadAsync(context.Gateway, spec.Source, ct)).Definition;

        // These two have no IF EXISTS.
        commands = commands.Where(c => (c != "REMOVE TTL" || present.Ttl is not null) && (c != "REMOVE SAMPLE BY" || present.SampleBy is not null)).ToList();

        // A process that died may have left a mutation under way, and an ALTER of the same column is refused while it is.
        await FollowMutationsAsync(context, spec.Source, ct);
        await context.ChangeAsync(name, commands.Select(c => $"ALTER TABLE {spec.Source.ToSql()} {c}").ToList(), settings, ct);
        await FollowMutationsAsync(context, spec.Source, ct);
    }

    private static async Task FollowMutationsAsync(StepContext context, QualifiedName table, CancellationToken ct)
    {
        while ((await Mutations.ListAsync(context.Gateway, table, ct)).FirstOrDefault(m => !m.IsDone) is { } mutation)
        {
            if (mutation.FailReason.Length > 0)
            {
                throw new StepFailedException(
                    $"Mutation {mutation.Id} of {table} fails: {mutation.FailReason}. "
                    + $"End it with KILL MUTATION WHERE mutation_id = '{mutation.Id}', then `rollback`.");
            }

            context.Board.Activity = $"waiting for mutation {mutation.Id}: {mutation.PartsToDo} parts to do";
            await Task.Delay(TimeSpan.FromMilliseconds(500), context.Clock, ct);
        }
    }
}
