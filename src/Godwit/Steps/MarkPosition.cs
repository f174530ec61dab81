using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// Notes the position up to which the base is copied; what arrives later is copied in rounds. Where nothing may arrive, the position
/// is noted to prove afterwards that nothing did.
/// </summary>
internal sealed class MarkPosition : IStep
{
    public const string Name = "mark-position";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await NoteAsync(context, spec, ct);
        if (!spec.FollowsWrites)
        {
            return;
        }

        if (!context.Journal.Has(BaseFact))
        {
            await context.Journal.FactAsync(BaseFact, await Positions.ReadAsync(context, spec.Source, 0, ct));
        }

        await new Follower(context, spec, spec.ForwardDirection(exchanged: false)).BeginAsync(context.Journal.Get<long>(BaseFact));
    }

    /// <summary>Notes how the source is before the first of its rows is taken; does nothing when that was noted before.</summary>
    public static Task NoteAsync(StepContext context, RebuildSpec spec, CancellationToken ct) =>
        spec.FollowsWrites ? new SourceGuard(context, spec).BeginAsync(ct) : StaticGate.BeginAsync(context, spec, ct);

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;

    /// <summary>The journal's fact that holds the position.</summary>
    public const string BaseFact = "base";
}
