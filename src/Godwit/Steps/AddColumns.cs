using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Gives the new table the columns that the copy has left out: see <see cref="LateColumns"/>.</summary>
internal sealed class AddColumns : IStep
{
    public const string Name = "add-columns";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Has(LateColumns.AddedFact))
        {
            return;
        }

        // What is copied later lands in tables that have them.
        var spec = context.Shared<RebuildSpec>();
        await CatchUp.CopyUnplannedPartitionsAsync(context, spec, ct);
        await LateColumns.AddAsync(context, spec, ct);
    }

    // They go with the new table.
    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
