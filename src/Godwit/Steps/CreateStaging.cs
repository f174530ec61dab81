using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>Creates the replacement, empty.</summary>
internal sealed class CreateStaging : IStep
{
    public const string Name = "create-staging";

    /// <summary>The journal's fact that says which table staging is.</summary>
    public const string UuidFact = "staging-uuid";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Has(UuidFact))
        {
            return;
        }

        var spec = context.Shared<RebuildSpec>();
        if (spec.IsWhole)
        {
            // It is made anew for the cutover. What the server does not take shows here.
            await WholeAssembly.CreateAsync(context, spec.Staging, spec.To, ct);
            await context.Journal.FactAsync(UuidFact, Guid.Empty);
            return;
        }

        // Its name holds the run's id, so a table of this name is what an attempt that was cut off has left: empty.
        await context.ChangeAsync(
            "create",
            [
                $"DROP TABLE IF EXISTS {spec.Staging.ToSql()} SYNC",
                LateColumns.Without(spec).ToSql(spec.Staging, HelperTables.Staging(spec.FollowsWrites)),
            ],
            HelperTables.CreateSettings(spec.To),
            ct);
        await context.Journal.FactAsync(
            UuidFact,
            await TableReader.FindUuidAsync(context.Gateway, spec.Staging, ct)
                ?? throw new NeedsOperatorException($"{spec.Staging} was created and is gone. Find out who drops tables in {spec.Staging.Database}."));
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        var spec = context.Shared<RebuildSpec>();
        await RequireNotTheSourceAsync(context, spec, ct);
        await HelperTables.DropAllAsync(context, spec, ct);
        await HelperTables.DropAsync(context, ct, [.. new[] { spec.Staging, spec.Retired }.Distinct()]);
    }

    private static async Task RequireNotTheSourceAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        // A rollback that copied rows back leaves the original table for this.
        var mayBeDropped = spec.IsWhole && context.Journal.Has("swept/backward");
        var original = spec.Exchanges
            ? await TableReader.FindUuidAsync(context.Gateway, spec.Staging, ct) == spec.SourceUuid
            : await TableReader.FindEngineAsync(context.Gateway, spec.Retired, ct) is not null;
        if (original && !mayBeDropped)
        {
            throw new NeedsOperatorException(
                $"{spec.Retired} is the original table, so it is not dropped: the exchange was not undone. Look at both tables before anything else.");
        }
    }
}
