using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Hooks;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Runs;

/// <summary>What a step may use: the server, the journal of its operation, the board for its figures, and how the run is to behave.</summary>
internal sealed class StepContext(RunServices services, PlannedStep step)
{
    /// <summary>The step of the plan that is being done or undone.</summary>
    public PlannedStep Step => step;

    /// <summary>What all steps of the run use.</summary>
    public RunServices Services => services;

    /// <summary>The operation that the step belongs to.</summary>
    public OperationScope Operation => services.Operations[step.Operation];

    /// <summary>The node that the step runs on.</summary>
    public ClickHouseGateway Gateway => services.Gateway.At(step.Node);

    /// <summary>The journal, as this step sees it.</summary>
    public StepJournal Journal { get; } = services.Journal.Of(step);

    /// <summary>Where figures are shown.</summary>
    public ProgressBoard Board => services.Board;

    /// <summary>What holds the operation.</summary>
    public Brakes Brakes => Operation.Brakes;

    /// <summary>How a person wants the run to behave.</summary>
    public RunOptions Options => services.Options;

    /// <summary>The clock.</summary>
    public TimeProvider Clock => services.Clock;

    /// <summary>How the node wants to be told what servers of all ages can do.</summary>
    public async Task<Dialect> DialectAsync(CancellationToken ct) =>
        services.Dialects.TryGetValue(step.Node, out var known) ? known : services.Dialects[step.Node] = await Dialect.ReadAsync(Gateway, ct);

    /// <summary>What all steps of this operation share.</summary>
    public T Shared<T>()
        where T : class, IOperationSpec => (T)Operation.Spec;

    /// <summary>The step's own arguments.</summary>
    public T Arguments<T>() => step.Arguments.Deserialize<T>(PlanFormat.Json)!;

    /// <summary>
    /// Sends short statements that change the server, each of which may safely be sent twice: intent, statements, outcome.
    /// </summary>
    public async Task ChangeAsync(string name, IReadOnlyList<string> statements, IReadOnlyDictionary<string, string>? settings, CancellationToken ct)
    {
        var queryId = services.NewQueryId(step.Index);
        await Journal.IntentAsync(name, new { queryId, statements });
        for (var i = 0; i < statements.Count; i++)
        {
            var options = new QueryOptions { QueryId = $"{queryId}-{i}", Settings = settings };
            await (i == 0 ? SendAsync(name, statements[i], options, ct) : Gateway.ExecuteAsync(statements[i], options, ct));
        }

        await Journal.OutcomeAsync(name, new { queryId });
    }

    /// <summary>Sends the statement of an intent that is in the journal, and withdraws the intent when the server certainly did nothing.</summary>
    public Task SendAsync(string name, string statement, CancellationToken ct) =>
        SendAsync(name, statement, new QueryOptions { QueryId = services.NewQueryId(step.Index) }, ct);

    /// <inheritdoc cref="SendAsync(string, string, CancellationToken)"/>
    public async Task SendAsync(string name, string statement, QueryOptions options, CancellationToken ct)
    {
        try
        {
            await Gateway.ExecuteAsync(statement, options, ct);
        }
        catch (ClickHouseException e) when (e.HadNoEffect(StatementKind.IsAllOrNothing(statement)))
        {
            await Journal.WithdrawAsync(name, new { options.QueryId, e.Message });
            throw;
        }
    }

    /// <inheritdoc cref="ChangeAsync(string, IReadOnlyList{string}, IReadOnlyDictionary{string, string}?, CancellationToken)"/>
    public Task ChangeAsync(string name, CancellationToken ct, params string[] statements) => ChangeAsync(name, statements, null, ct);
}

/// <summary>What all steps of a run use.</summary>
internal sealed class RunServices
{
    /// <summary>The frozen plan.</summary>
    public required Plan Plan { get; init; }

    /// <summary>Its operations, in its order.</summary>
    public required IReadOnlyList<OperationScope> Operations { get; init; }

    /// <summary>The migration; null for a run without one.</summary>
    public RunningMigration? Migration { get; init; }

    /// <summary>The application's PostgreSQL; null when none was given.</summary>
    public DbDataSource? PostgreSql { get; init; }

    /// <summary>Throws when the run is not this process's any more; asked right before anything is sent to a server that is not ClickHouse.</summary>
    public required Func<CancellationToken, Task> RequireLeaseAsync { get; init; }

    /// <summary>The given server.</summary>
    public required ClickHouseGateway Gateway { get; init; }

    /// <summary>The ClickHouse nodes that steps run on.</summary>
    public IEnumerable<string> Nodes => Plan.Steps.Where(s => StepCatalog.Get(s.Kind).Server == Service.ClickHouse).Select(s => s.Node).Distinct(StringComparer.Ordinal);

    /// <summary>How each node wants to be told things, as far as it was asked.</summary>
    public ConcurrentDictionary<string, Dialect> Dialects { get; } = new(StringComparer.Ordinal);

    public required Journal Journal { get; init; }

    public required ProgressBoard Board { get; init; }

    /// <summary>How the run is to behave; another one when somebody limits it while it is under way.</summary>
    public required RunOptions Options { get; set; }

    public required TimeProvider Clock { get; init; }

    /// <summary>What hooks work with.</summary>
    public required HookTools Hooks { get; init; }

    /// <inheritdoc cref="RunHost.Patience"/>
    public required TimeSpan Patience { get; init; }

    /// <summary>Waits until a person asks for this; shows the run in the given state meanwhile, and then keeps that it was asked for.</summary>
    public required Func<RunState, RunRequest, Func<CancellationToken, Task>, Func<Task>, CancellationToken, Task> AwaitPersonAsync { get; init; }

    /// <summary>Tells a person something about a step among the errors of the run, which goes on.</summary>
    public required Func<int, string, Task> NoteAsync { get; init; }

    /// <summary>The prefix of every query id of this run.</summary>
    public string QueryPrefix => $"godwit-{Plan.RunId}-";

    /// <summary>A query id that tells whose statement it is.</summary>
    public string NewQueryId(int step) => $"{QueryPrefix}{step}-{Guid.NewGuid():N}";
}
