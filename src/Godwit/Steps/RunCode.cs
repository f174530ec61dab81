using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Calls code of the migration.</summary>
internal sealed class RunCode : IStep
{
    public const string Name = "code";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        await Code(context).ForwardAsync(Context(context), ct);
    }

    public Task PrepareUndoAsync(StepContext context, CancellationToken ct) => context.Shared<CodeSpec>().Irreversible
        ? throw new StepFailedException(WayBack.Refusal(context.Step.Description))
        : Task.CompletedTask;

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        await LongStatement.KillOwnAsync(context, ct);
        await (Code(context).UndoAsync?.Invoke(Context(context), ct) ?? Task.CompletedTask);
    }

    private static MigrationCode Code(StepContext context)
    {
        var name = context.Shared<CodeSpec>().Code;
        return context.Services.Migration?.Definition.Code.FirstOrDefault(c => c.Name == name)
            ?? throw new StepFailedException(
                $"The migration {context.Services.Plan.Migration} of this Godwit has no code {name}. Load the definition that this run was started with, then `resume`.");
    }

    private static CodeContext Context(StepContext context) => new(context, context.Services.Migration!.Context);
}
