using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What a create step makes.</summary>
/// <param name="Kind">TABLE, DICTIONARY or VIEW.</param>
/// <param name="Name">Its name.</param>
/// <param name="Ddl">The statement.</param>
internal sealed record CreateArguments(string Kind, QualifiedName Name, string Ddl);

/// <summary>Makes a table, a view or a dictionary.</summary>
internal sealed class CreateObject : IStep
{
    public const string Name = "create-object";
    private const string Create = "create";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        var arguments = context.Arguments<CreateArguments>();
        if (context.Journal.IsDone(Create))
        {
            return;
        }

        await LongStatement.KillOwnAsync(context, ct);
        if (await TableReader.FindEngineAsync(context.Gateway, arguments.Name, ct) is { } engine)
        {
            if (context.Journal.FindOpen<object>(Create) is null)
            {
                throw new StepFailedException(
                    $"{arguments.Name} is there already on {context.Step.Node} (engine {engine}), and was not when the plan was made. Drop it if nobody needs it, then `resume`.");
            }

            // The answer was lost: it was not there when the statement was sent.
            await context.Journal.OutcomeAsync(Create, new { foundIn = "tables" });
            return;
        }

        await context.ChangeAsync(Create, ct, arguments.Ddl);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.IsDone(Create) || context.Journal.FindOpen<object>(Create) is not null)
        {
            var arguments = context.Arguments<CreateArguments>();
            await LongStatement.KillOwnAsync(context, ct);
            await context.ChangeAsync("drop", ct, DropObject.Statement(arguments.Kind, arguments.Name));
        }
    }
}
