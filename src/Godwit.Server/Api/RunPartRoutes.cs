using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>An entry of a run's journal.</summary>
/// <param name="Sequence">Its number within the run, from 1.</param>
/// <param name="Step">The step's place in the plan.</param>
/// <param name="Kind">What it says.</param>
/// <param name="Name">What it is about, such as <c>exchange</c>.</param>
/// <param name="Payload">The details; their shape is known to the step.</param>
/// <param name="At">When it was written (UTC).</param>
public sealed record JournalLine(long Sequence, int Step, JournalEntryKind Kind, string Name, JsonElement Payload, DateTimeOffset At);

/// <summary>What a run consists of, each in pages.</summary>
internal static class RunPartRoutes
{
    public static void MapRunParts(this IEndpointRouteBuilder api)
    {
        var run = api.MapGroup("/runs/{run}").WithTags("Runs");
        run.MapGet("/plan", PlanAsync).WithName("readPlan");
        run.MapGet("/steps", StepsAsync).WithName("listSteps");
        run.MapGet("/journal", JournalAsync).WithName("listJournal");
        run.MapGet("/errors", ErrorsAsync).WithName("listErrors");
        run.MapGet("/samples", SamplesAsync).WithName("listSamples");
    }

    /// <summary>Tells the frozen plan of a run.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<Plan>> PlanAsync(Migrator migrator, string run, CancellationToken ct) => TypedResults.Ok(await migrator.PlanAsync(run, ct));

    /// <summary>Lists the steps of a run in plan order, with where each is.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<Page<StepStatus>>> StepsAsync(Migrator migrator, string run, [AsParameters] Paging paging, CancellationToken ct) =>
        TypedResults.Ok(paging.Of("steps", (await migrator.StatusAsync(run, ct)).Steps, s => Paging.Position(s.Index)));

    /// <summary>Lists the journal of a run, oldest first.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<Page<JournalLine>>> JournalAsync(Migrator migrator, string run, [AsParameters] Paging paging, CancellationToken ct)
    {
        var entries = await migrator.JournalAsync(run, paging.NumberAfter("journal") ?? 0, paging.Most + 1, ct);
        return TypedResults.Ok(paging.Cut("journal", [.. entries.Select(Line)], e => Paging.Position(e.Sequence)));
    }

    /// <summary>Lists the errors of a run, oldest first, with the server's words.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<Page<StatusError>>> ErrorsAsync(Migrator migrator, string run, [AsParameters] Paging paging, CancellationToken ct)
    {
        var errors = (await migrator.StatusAsync(run, ct)).Errors.Index();
        var page = paging.Of("errors", errors, e => Paging.Position(e.Index));
        return TypedResults.Ok(new Page<StatusError>([.. page.Items.Select(e => e.Item)], page.Next));
    }

    /// <summary>Lists the figures of a run over time, oldest first.</summary>
    /// <param name="run">The run's id.</param>
    public static async Task<Ok<Page<RunSample>>> SamplesAsync(Migrator migrator, string run, [AsParameters] Paging paging, CancellationToken ct)
    {
        DateTimeOffset? after = paging.NumberAfter("samples") is { } at and <= 253402300799999 ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
        return TypedResults.Ok(paging.Of("samples", await migrator.SamplesAsync(run, after, ct), s => Paging.Position(s.At.ToUnixTimeMilliseconds())));
    }

    private static JournalLine Line(JournalEntry entry)
    {
        using var payload = JsonDocument.Parse(entry.Payload);
        return new JournalLine(entry.Sequence, entry.Step, entry.Kind, entry.Name, payload.RootElement.Clone(), entry.At);
    }
}
