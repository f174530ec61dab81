using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>What a step may use: the server, the journal of its run, the board for its figures, and how the run is to behave.</summary>
internal sealed class StepContext(Plan plan, PlannedStep step, RunServices services)
{
    /// <summary>The plan.</summary>
    public Plan Plan => plan;

    /// <summary>The step of the plan that is being done or undone.</summary>
    public PlannedStep Step => step;

    /// <summary>What all steps of the run use.</summary>
    public RunServices Services => services;

    /// <summary>The server.</summary>
    public ClickHouseGateway Gateway => services.Gateway;

    /// <summary>The journal of the run.</summary>
    public Journal Journal => services.Journal;

    /// <summary>Where figures are shown.</summary>
    public ProgressBoard Board => services.Board;

    /// <summary>How a person wants the run to behave.</summary>
    public RunOptions Options => services.Options;

    /// <summary>The clock.</summary>
    public TimeProvider Clock => services.Clock;

    /// <summary>What all steps of this plan share.</summary>
    public T Shared<T>()
        where T : class => services.Shared as T ?? plan.Shared.Deserialize<T>(PlanFormat.Json)!;

    /// <summary>The step's own arguments.</summary>
    public T Arguments<T>() => step.Arguments.Deserialize<T>(PlanFormat.Json)!;

    /// <summary>
    /// Sends short statements that change the server, each of which may safely be sent twice: intent, statements, outcome.
    /// </summary>
    public async Task ChangeAsync(string name, IReadOnlyList<string> statements, IReadOnlyDictionary<string, string>? settings, CancellationToken ct)
    {
        var queryId = services.NewQueryId(step.Index);
        await Journal.IntentAsync(step.Index, name, new { queryId, statements });
        for (var i = 0; i < statements.Count; i++)
        {
            await Gateway.ExecuteAsync(statements[i], new QueryOptions { QueryId = $"{queryId}-{i}", Settings = settings }, ct);
        }

        await Journal.OutcomeAsync(step.Index, name, new { queryId });
    }

    /// <inheritdoc cref="ChangeAsync(string, IReadOnlyList{string}, IReadOnlyDictionary{string, string}?, CancellationToken)"/>
    public Task ChangeAsync(string name, CancellationToken ct, params string[] statements) => ChangeAsync(name, statements, null, ct);
}

/// <summary>What all steps of a run use.</summary>
internal sealed class RunServices
{
    public required string RunId { get; init; }

    public required ClickHouseGateway Gateway { get; init; }

    public required Journal Journal { get; init; }

    public required ProgressBoard Board { get; init; }

    public required RunOptions Options { get; init; }

    public required TimeProvider Clock { get; init; }

    public required Brakes Brakes { get; init; }

    /// <summary>Where the large statements of steps side by side run; null when steps are done one after the other.</summary>
    public Lanes? Lanes { get; set; }

    /// <summary>The plan's shared part, read once: a plan may have ten thousand steps.</summary>
    public required object Shared { get; init; }

    /// <summary>Waits until a person asks for this; shows the run in the given state meanwhile.</summary>
    public required Func<RunState, Metadata.RunRequest, Func<CancellationToken, Task>, CancellationToken, Task> AwaitPersonAsync { get; init; }

    /// <summary>The prefix of every query id of this run.</summary>
    public string QueryPrefix => $"godwit-{RunId}-";

    /// <summary>A query id that tells whose statement it is.</summary>
    public string NewQueryId(int step) => $"{QueryPrefix}{step}-{Guid.NewGuid():N}";
}
