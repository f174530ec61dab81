using Godwit.Checks;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Migrations;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>What a new run is to do.</summary>
public sealed record NewRun
{
    /// <summary>The migration to run; leave it out for a rebuild.</summary>
    public MigrationRequest? Migration { get; init; }

    /// <summary>What a table is to become; leave it out for a migration.</summary>
    public RebuildRequest? Rebuild { get; init; }

    /// <summary>How the run is to behave.</summary>
    public RunOptions Options { get; init; } = new();

    /// <summary>Whether a worker is to start it as soon as it can; otherwise it waits until somebody starts it.</summary>
    public bool Start { get; init; }

    /// <summary>What is wrong with it, one sentence each.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Migration is null == Rebuild is null)
        {
            yield return "Say what to run: migration or rebuild, and not both.";
        }
    }
}

/// <summary>Runs: which there are, and new ones.</summary>
internal static class RunRoutes
{
    public static void MapRuns(this IEndpointRouteBuilder api)
    {
        var runs = api.MapGroup("/runs").WithTags("Runs");
        runs.MapGet("/", ListAsync).WithName("listRuns");
        runs.MapPost("/", CreateAsync).WithName("createRun").RequireAuthorization(Policies.Operator);
        runs.MapGet("/{run}", ReadAsync).WithName("readRun");
    }

    /// <summary>The address of a run.</summary>
    public static string Address(string run) => $"/api/v1/runs/{run}";

    /// <summary>Where a run stands in a list that begins with the newest.</summary>
    public static string Position(RunRecord run) => $"{Paging.Downwards(run.CreatedAt.ToUnixTimeMilliseconds())} {run.RunId}";

    /// <summary>Lists the runs, the newest first.</summary>
    /// <param name="state">Only those in one of these states.</param>
    /// <param name="migration">Only those of this migration; <c>rebuild</c> for the rebuilds that were asked for by hand.</param>
    public static async Task<Ok<Page<RunRecord>>> ListAsync(
        Migrator migrator, [AsParameters] Paging paging, [FromQuery] RunState[]? state, [FromQuery] string? migration, CancellationToken ct)
    {
        var runs = (await migrator.ListAsync(ct)).Where(r => (state is null or [] || state.Contains(r.State)) && (migration is null || r.Migration == migration));
        return TypedResults.Ok(paging.Of("runs", runs, Position));
    }

    /// <summary>Makes a run of a migration, or of a rebuild.</summary>
    /// <remarks>All checks are asked first. When one refuses, nothing is stored and the answer is 409 with what every check found.</remarks>
    public static async Task<Created<RunStatus>> CreateAsync(Migrator migrator, Body<NewRun> body, HttpContext http, CancellationToken ct)
    {
        var wish = body.Value;
        if (wish.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new InvalidRequestException(problems);
        }

        HookDoor.Require(http.User, wish.Rebuild);
        var proposal = wish.Migration is { } migration
            ? await migrator.ProposeAsync(migration, wish.Options, ct)
            : await migrator.ProposeAsync(wish.Rebuild!, wish.Options, ct);
        if (proposal.Plan is not { } plan || proposal.Checks.Any(c => c.Blocks))
        {
            throw new RefusedException(proposal.Checks);
        }

        var run = await migrator.CreateRunAsync(plan, wish.Options, ct);
        await migrator.RecordAsync(Policies.ActorOf(http), "plan", wish.Migration?.Name ?? $"{wish.Rebuild!.Table}", $"run {run}", ct);
        if (wish.Start)
        {
            await migrator.QueueAsync(run, Policies.ActorOf(http), ct);
        }

        return TypedResults.Created(Address(run), await migrator.StatusAsync(run, ct));
    }

    /// <summary>Tells where a run is.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<RunStatus>> ReadAsync(Migrator migrator, string run, CancellationToken ct) => TypedResults.Ok(await migrator.StatusAsync(run, ct));
}
