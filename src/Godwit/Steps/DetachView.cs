using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What is detached or attached.</summary>
/// <param name="View">The view.</param>
/// <param name="Attaches">Whether going forward attaches it.</param>
internal sealed record DetachArguments(QualifiedName View, bool Attaches);

/// <summary>Detaches a view or attaches it. Permanently, where the server can: otherwise a restart of the server would attach it.</summary>
internal sealed class DetachView : IStep
{
    public const string Name = "detach-view";

    /// <summary>https://clickhouse.com/docs/whats-new/changelog/2020: DETACH … PERMANENTLY came with 20.12.</summary>
    private static readonly ServerVersion Permanently = new(20, 12);

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (!context.Journal.Has(Was(context)))
        {
            await context.Journal.FactAsync(Was(context), await IsAttachedAsync(context, ct));
        }

        await SetAsync(context, context.Arguments<DetachArguments>().Attaches, ct);
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Find<bool?>(Was(context)) is { } was)
        {
            await SetAsync(context, was, ct);
        }
    }

    private static async Task<bool> IsAttachedAsync(StepContext context, CancellationToken ct) =>
        await TableReader.FindEngineAsync(context.Gateway, context.Arguments<DetachArguments>().View, ct) is not null;

    // Facts belong to the operation, whose steps are the nodes.
    private static string Was(StepContext context) => $"was-attached/{context.Step.Index}";

    private static async Task SetAsync(StepContext context, bool attached, CancellationToken ct)
    {
        var view = context.Arguments<DetachArguments>().View;
        await LongStatement.KillOwnAsync(context, ct);
        if (await IsAttachedAsync(context, ct) == attached)
        {
            return;
        }

        var version = ServerVersion.Parse(await context.Gateway.ScalarAsync<string>("SELECT version()", ct: ct));
        await context.ChangeAsync(
            attached ? "attach" : "detach", ct, attached ? $"ATTACH TABLE {view.ToSql()}" : $"DETACH TABLE {view.ToSql()}{(version >= Permanently ? " PERMANENTLY SYNC" : "")}");
    }
}
