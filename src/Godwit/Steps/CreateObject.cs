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
            await KeepAsync(context, arguments.Name, ct);
            await context.Journal.OutcomeAsync(Create, new { foundIn = "tables" });
            return;
        }

        await context.ChangeAsync(Create, ct, arguments.Ddl);
        await KeepAsync(context, arguments.Name, ct);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.IsDone(Create) || context.Journal.FindOpen<object>(Create) is not null)
        {
            var arguments = context.Arguments<CreateArguments>();
            await LongStatement.KillOwnAsync(context, ct);
            if (arguments.Kind == "TABLE" && context.Journal.Find<Guid?>(Made(context)) is { } made && await TableReader.FindUuidAsync(context.Gateway, arguments.Name, ct) is { } present && present != made)
            {
                throw new StepFailedException($"{arguments.Name} on {context.Step.Node} is not the one that was made: somebody has made it anew. Move it out of the way, or drop it; then `rollback` again.");
            }

            await context.ChangeAsync("drop", ct, await DropObject.StatementAsync(context.Gateway, arguments.Kind, arguments.Name, ct));
        }
    }

    // Facts belong to the operation, whose steps are the nodes.
    private static string Made(StepContext context) => $"made/{context.Step.Index}";

    /// <summary>A table that was made is known by its UUID: another one, with rows, may be called so when it is to be dropped.</summary>
    private static async Task KeepAsync(StepContext context, QualifiedName name, CancellationToken ct)
    {
        if (await TableReader.FindUuidAsync(context.Gateway, name, ct) is { } made)
        {
            await context.Journal.FactAsync(Made(context), made);
        }
    }
}
