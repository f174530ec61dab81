using Godwit.Checks;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>A migration: where it is on this instance, and what its definition says.</summary>
/// <param name="Overview">Where it is.</param>
/// <param name="Definition">What its author wrote; null when the definition is gone.</param>
public sealed record MigrationDocument(MigrationOverview Overview, MigrationDefinition? Definition);

/// <summary>What the author of a migration wrote.</summary>
/// <param name="Versions">The versions of the application in which it may run.</param>
/// <param name="DependsOn">The migrations that must be done before.</param>
/// <param name="Requires">What it needs of the servers.</param>
/// <param name="Parameters">What may be set when it is started.</param>
/// <param name="Checks">Its checks.</param>
/// <param name="HealthcheckInterval">The time between two healthchecks of a run.</param>
public sealed record MigrationDefinition(
    VersionWindow Versions,
    IReadOnlyList<string> DependsOn,
    IReadOnlyList<NeededService> Requires,
    IReadOnlyList<Parameter> Parameters,
    IReadOnlyList<CheckName> Checks,
    TimeSpan HealthcheckInterval);

/// <summary>A server that a migration needs.</summary>
/// <param name="Service">Which server.</param>
/// <param name="Versions">Which versions will do.</param>
public sealed record NeededService(Service Service, string Versions);

/// <summary>A check of a migration.</summary>
/// <param name="Name">Its name in results.</param>
/// <param name="Scope">When it is asked.</param>
public sealed record CheckName(string Name, CheckScope Scope);

/// <summary>With what a migration is to be planned.</summary>
public sealed record MigrationPlanRequest
{
    /// <summary>Values of its parameters, as a person writes them.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether it is to be run though it is completed.</summary>
    public bool Again { get; init; }

    /// <summary>How the run is to behave.</summary>
    public RunOptions Options { get; init; } = new();
}

/// <summary>What would be done.</summary>
/// <param name="IsRefused">Whether a check stands against it.</param>
/// <param name="Checks">What every check found.</param>
/// <param name="Plan">The steps; null when a check stands against it. A run that is made later has a plan of its own.</param>
public sealed record PlanDocument(bool IsRefused, IReadOnlyList<CheckResult> Checks, Plan? Plan)
{
    internal static PlanDocument Of(Proposal proposal) => new(proposal.Plan is null || proposal.Checks.Any(c => c.Blocks), proposal.Checks, proposal.Plan is { } plan ? ShownPlan.Of(plan) : null);
}

/// <summary>Migrations: which there are, where each is, what it would do.</summary>
internal static class MigrationRoutes
{
    public static void MapMigrations(this IEndpointRouteBuilder api)
    {
        var migrations = api.MapGroup("/migrations").WithTags("Migrations");
        migrations.MapGet("/", ListAsync).WithName("listMigrations");
        migrations.MapGet("/{name}", ReadAsync).WithName("readMigration");
        migrations.MapGet("/{name}/runs", RunsAsync).WithName("listMigrationRuns");
        migrations.MapPost("/{name}/plan", PlanAsync).WithName("planMigration").WithMetadata(new ChangesNothing()).RequireAuthorization(Policies.Operator);
    }

    /// <summary>Lists the migrations, each after those that it depends on, with where each is on this instance.</summary>
    public static async Task<Ok<Page<MigrationOverview>>> ListAsync(Migrator migrator, [AsParameters] Paging paging, CancellationToken ct)
    {
        var page = paging.Of("migrations", (await migrator.MigrationsAsync(ct)).Index(), m => Paging.Position(m.Index));
        return TypedResults.Ok(new Page<MigrationOverview>([.. page.Items.Select(m => m.Item)], page.Next));
    }

    /// <summary>Tells what a migration is for, where it is, what it needs, and what can be set.</summary>
    /// <param name="name">The migration's name.</param>
    public static async Task<Ok<MigrationDocument>> ReadAsync(Migrator migrator, string name, CancellationToken ct)
    {
        var overview = (await migrator.MigrationsAsync(ct)).FirstOrDefault(m => m.Name == name) ?? throw Missing(name);
        return TypedResults.Ok(new MigrationDocument(overview, migrator.FindMigration(name) is { } definition ? Of(definition) : null));
    }

    /// <summary>Lists the runs of a migration, the newest first.</summary>
    /// <param name="name">The migration's name.</param>
    public static async Task<Ok<Page<RunRecord>>> RunsAsync(Migrator migrator, string name, [AsParameters] Paging paging, CancellationToken ct)
    {
        var runs = (await migrator.ListAsync(ct)).Where(r => r.Migration == name && name != Plan.ByHand).ToList();
        return runs.Count > 0 || migrator.FindMigration(name) is not null ? TypedResults.Ok(paging.Of("runs", runs, RunRoutes.Position)) : throw Missing(name);
    }

    /// <summary>Asks all checks of a migration and shows the steps that would be done. Changes nothing.</summary>
    /// <param name="name">The migration's name.</param>
    public static async Task<Ok<PlanDocument>> PlanAsync(Migrator migrator, string name, Body<MigrationPlanRequest> body, CancellationToken ct)
    {
        _ = migrator.FindMigration(name) ?? throw Missing(name);
        var request = new MigrationRequest(name) { Parameters = body.Value.Parameters, Again = body.Value.Again };
        return TypedResults.Ok(PlanDocument.Of(await migrator.ProposeAsync(request, body.Value.Options, ct)));
    }

    private static MigrationDefinition Of(Migration definition) => new(
        definition.Versions,
        definition.DependsOn,
        [.. definition.Requires.Select(r => new NeededService(r.Service, r.Versions.ToString()!))],
        definition.Parameters,
        [.. definition.Checks.Select(c => new CheckName(c.Name, c.Scope))],
        definition.HealthcheckInterval);

    private static NothingThereException Missing(string name) => new($"There is no migration {name}; `godwit migrations list` shows those that there are.");
}
