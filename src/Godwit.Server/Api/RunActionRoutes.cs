using Godwit.Metadata;
using Godwit.Runs;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>How fast a run may copy from now on.</summary>
/// <param name="RowsPerSecond">The most rows per second, over all lanes; null for no limit.</param>
public sealed record NewLimit(long? RowsPerSecond);

/// <summary>What is asked of a run. It is left to whoever owns the run, or to a worker; <c>asked</c> in the status says so until it is answered.</summary>
internal static class RunActionRoutes
{
    public static void MapRunActions(this IEndpointRouteBuilder api)
    {
        var run = api.MapGroup("/runs/{run}").WithTags("Runs");
        run.MapGet("/actions", ListAsync).WithName("listActions");
        var actions = run.MapGroup("").RequireAuthorization(Policies.Operator);
        actions.MapPost("/start", StartAsync).WithName("startRun");
        actions.MapPost("/pause", PauseAsync).WithName("pauseRun");
        actions.MapPost("/resume", ResumeAsync).WithName("resumeRun");
        actions.MapPost("/stop", StopAsync).WithName("stopRun");
        actions.MapPost("/cutover", CutOverAsync).WithName("cutOverRun");
        actions.MapPost("/rollback", RollbackAsync).WithName("rollBackRun");
        actions.MapPost("/cleanup", CleanUpAsync).WithName("cleanUpRun");
        actions.MapPut("/limit", LimitAsync).WithName("limitRun");
    }

    /// <summary>Lists what may be asked of a run as it is.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<IReadOnlyList<RunRequest>>> ListAsync(Migrator migrator, string run, CancellationToken ct) => TypedResults.Ok(await migrator.ChoicesAsync(run, ct));

    /// <summary>Lets a worker start a run that has not begun.</summary>
    /// <param name="run">The run's id.</param>
    public static Task<Accepted<RunStatus>> StartAsync(Migrator migrator, string run, HttpContext http, CancellationToken ct) => AskAsync(migrator, run, RunRequest.Start, http, ct);

    /// <summary>Holds a run: its queries are killed, its process waits.</summary>
    /// <param name="run">The run's id.</param>
    public static Task<Accepted<RunStatus>> PauseAsync(Migrator migrator, string run, HttpContext http, CancellationToken ct) => AskAsync(migrator, run, RunRequest.Pause, http, ct);

    /// <summary>Goes on with a paused, failed or interrupted run.</summary>
    /// <param name="run">The run's id.</param>
    public static Task<Accepted<RunStatus>> ResumeAsync(Migrator migrator, string run, HttpContext http, CancellationToken ct) => AskAsync(migrator, run, RunRequest.Resume, http, ct);

    /// <summary>Kills the queries of a run and lets go of it; it stays resumable.</summary>
    /// <param name="run">The run's id.</param>
    public static Task<Accepted<RunStatus>> StopAsync(Migrator migrator, string run, HttpContext http, CancellationToken ct) => AskAsync(migrator, run, RunRequest.Stop, http, ct);

    /// <summary>Lets the names change hands in a run that awaits its cutover, or lets a migration go on to what cannot be undone.</summary>
    /// <param name="run">The run's id.</param>
    public static Task<Accepted<RunStatus>> CutOverAsync(Migrator migrator, string run, HttpContext http, CancellationToken ct) => AskAsync(migrator, run, RunRequest.CutOver, http, ct);

    /// <summary>Undoes a run, newest step first; after the cutover as long as the rollback window is open.</summary>
    /// <param name="run">The run's id.</param>
    /// <param name="force">Whether it is undone though migrations that depend on it are done or begun.</param>
    public static Task<Accepted<RunStatus>> RollbackAsync(Migrator migrator, string run, [FromQuery] bool? force, HttpContext http, CancellationToken ct) =>
        AskAsync(migrator, run, RunRequest.Rollback, http, ct, force ?? false);

    /// <summary>Ends the rollback window of a completed run: drops the retired table and restores the settings.</summary>
    /// <param name="run">The run's id.</param>
    public static Task<Accepted<RunStatus>> CleanUpAsync(Migrator migrator, string run, HttpContext http, CancellationToken ct) => AskAsync(migrator, run, RunRequest.CleanUp, http, ct);

    /// <summary>Says how fast a run may copy from now on.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<RunStatus>> LimitAsync(Migrator migrator, string run, Body<NewLimit> body, HttpContext http, CancellationToken ct) =>
        TypedResults.Ok(await migrator.LimitAsync(run, body.Value.RowsPerSecond, Policies.ActorOf(http), ct));

    private static async Task<Accepted<RunStatus>> AskAsync(Migrator migrator, string run, RunRequest request, HttpContext http, CancellationToken ct, bool force = false) =>
        TypedResults.Accepted(RunRoutes.Address(run), await migrator.AskAsync(run, request, Policies.ActorOf(http), force, ct));
}
