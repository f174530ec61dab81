using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>What all migrations of the pack have in common: they look for PostHog's tables first, and without them have nothing to do.</summary>
public abstract class PostHogMigration : Migration
{
    internal const string DatabaseParameter = "database";

    private static readonly Parameter Database = new(DatabaseParameter, ParameterType.Text)
    {
        Default = "",
        Help = "The database of PostHog's tables; found by its table events when nothing is said.",
    };

    /// <inheritdoc/>
    public sealed override IReadOnlyList<Parameter> Parameters => [Database, .. Own];

    /// <summary>Its parameters but for the database.</summary>
    private protected virtual IReadOnlyList<Parameter> Own => [];

    /// <inheritdoc/>
    public sealed override async Task<Requirement> IsRequiredAsync(MigrationContext context, CancellationToken ct) =>
        await PostHogSchema.FindAsync(context, ct) is { } schema
            ? await IsRequiredAsync(schema, context, ct)
            : new Requirement(false, "No database of this server has tables of PostHog.");

    /// <inheritdoc/>
    public sealed override async Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) =>
        await PlanAsync(await SchemaAsync(context, ct), context, ct);

    /// <summary>Whether an instance with these tables needs it.</summary>
    private protected abstract Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct);

    /// <summary>What it does to these tables.</summary>
    private protected abstract Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct);

    /// <summary>A check that looks at PostHog's tables.</summary>
    private protected static MigrationCheck Check(string name, CheckScope scope, Func<PostHogSchema, MigrationContext, CancellationToken, Task<CheckAnswer>> ask) =>
        new(name, scope, async (context, ct) => await ask(await SchemaAsync(context, ct), context, ct));

    /// <summary>A requirement of ClickHouse.</summary>
    private protected static ServiceRequirement ClickHouse(string versions) => new(Service.ClickHouse, VersionRange.Parse(versions));

    private protected static Task<Requirement> Needed(bool isNeeded, string because, string otherwise) =>
        Task.FromResult(new Requirement(isNeeded, isNeeded ? because : otherwise));

    private static async Task<PostHogSchema> SchemaAsync(MigrationContext context, CancellationToken ct) =>
        await PostHogSchema.FindAsync(context, ct) ?? throw new InvalidOperationException("No database of this server has tables of PostHog any more.");
}
