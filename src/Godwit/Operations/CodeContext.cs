using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Runs;

namespace Godwit.Operations;

/// <summary>What the code of a migration works with.</summary>
public sealed class CodeContext
{
    private const string CheckpointFact = "checkpoint";
    private static readonly Dictionary<string, string> NoSettings = [];
    private readonly StepContext _step;

    internal CodeContext(StepContext step, MigrationContext migration) => (_step, Migration) = (step, migration);

    /// <summary>The instance, and what a person has set.</summary>
    public MigrationContext Migration { get; }

    /// <summary>What the operation was planned with.</summary>
    public T Arguments<T>() => _step.Arguments<T>();

    /// <summary>The checkpoint that was kept last; the default when there is none.</summary>
    public T? FindCheckpoint<T>() => _step.Journal.Find<T>($"{CheckpointFact}/{_step.Step.Index}");

    /// <summary>Keeps how far the code is. When this returns it survives anything: the next attempt finds it.</summary>
    public Task CheckpointAsync<T>(T checkpoint)
        where T : notnull => _step.Journal.FactAsync($"{CheckpointFact}/{_step.Step.Index}", checkpoint);

    /// <summary>
    /// Sends a statement to ClickHouse, however long it takes. Unlike one that is sent through <see cref="MigrationContext.ClickHouse"/> it is shown
    /// with its progress, and killed when the run is stopped.
    /// </summary>
    /// <exception cref="OutcomeUnknownException">The answer was lost; the statement is no longer running. The code is called again, so it must find out.</exception>
    public Task ExecuteAsync(string sql, IReadOnlyDictionary<string, string>? settings = null, CancellationToken ct = default) =>
        LongStatement.RunAsync(_step, sql, settings ?? NoSettings, _ => { }, ct);

    /// <summary>Shows how many rows have been moved so far.</summary>
    public void Report(long rows) => _step.Board.Report(_step.Step.Index, rows);

    /// <summary>Returns when no brake is on: to be called before each piece of work.</summary>
    public Task PassBrakesAsync(CancellationToken ct) => _step.Brakes.PassAsync(ct);
}
