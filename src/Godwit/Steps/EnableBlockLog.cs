using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Makes every part of the source keep the positions of its rows from now on.</summary>
internal sealed class EnableBlockLog : IStep
{
    public const string Name = "enable-block-log";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await context.ChangeAsync("enable", ct, $"ALTER TABLE {spec.Source.ToSql()} MODIFY SETTING {HelperTables.BlockLog} = 1");
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await context.ChangeAsync("restore", HelperTables.Restore(spec.Source, spec.From, [HelperTables.BlockLog]), null, ct);
    }
}
