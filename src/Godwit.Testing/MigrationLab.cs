using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Migrations.Yaml;

namespace Godwit.Testing;

/// <summary>
/// Tests migrations on a ClickHouse of its own, which ends with it. One lab serves any number of checks, one after the other: each begins with
/// an empty server. It needs no test framework: what is wrong is a <see cref="MigrationFaultException"/>.
/// </summary>
/// <remarks>
/// <para>
/// <b>What is simulated.</b> A process that is killed is a Godwit in this process from which nothing gets out any more: every later write to its
/// store and every later statement stays unanswered for ever, and another Godwit, with nothing but the store and the server, goes on when the
/// lease of the first one has ended. It is killed after each write to its store and after each statement that changes something, and so
/// also before the next one: for what is kept, these are the same moment. A statement that has run but whose answer was not seen is
/// tried three times: the process died, the process lives and lost the connection, and the process died and the server's log does not tell how the
/// statement ended.
/// </para>
/// <para>
/// <b>What is not.</b> The server never dies, so what it had not written to disk is never lost, and a statement that was cut off in its middle
/// is not tried: give each INSERT … SELECT a table of its own, or make it one that can be done again. Statements that
/// run when the process dies go on to their end on the server, as they do in truth. Code that was killed stays where it was: its <c>finally</c>
/// does not run, and what it keeps in static fields survives, which in truth it does not. What a migration does besides
/// ClickHouse and <see cref="MigrationCheckup.PostgreSql"/> (files, queues, other servers) is neither cut off nor compared, and PostgreSQL is
/// not compared either.
/// </para>
/// </remarks>
/// <example><code>
/// await using var lab = await MigrationLab.StartAsync();
/// await lab.CheckAsync(new AddCountry(), new MigrationCheckup
/// {
///     Setup =
///     [
///         "CREATE DATABASE app",
///         "CREATE TABLE app.events (id UInt64) ENGINE = MergeTree ORDER BY id",
///         "INSERT INTO app.events SELECT number FROM numbers(10)",
///     ],
/// });
/// </code></example>
public sealed class MigrationLab : IAsyncDisposable
{
    private readonly LabEngine _engine;
    private readonly SemaphoreSlim _one = new(1);

    private MigrationLab(LabEngine engine) => _engine = engine;

    /// <summary>The server, for questions of one's own; it is as the last check left it.</summary>
    public ClickHouseGateway ClickHouse => _engine.Gateway;

    /// <summary>Starts the embedded ClickHouse in a temporary folder; the first time on a machine it is downloaded.</summary>
    /// <exception cref="Engine.EngineStartException">It cannot be had or started; the message says why.</exception>
    public static async Task<MigrationLab> StartAsync(CancellationToken ct = default) => new(await LabEngine.StartAsync(ct));

    /// <summary>A migration that is written in YAML, from its file.</summary>
    /// <exception cref="DefinitionException">Something is wrong with it; all of it is told.</exception>
    public static Migration FromFile(string path) => Read(Path.GetFileName(path), File.ReadAllText(path));

    /// <summary>A migration that is written in YAML, from its text.</summary>
    /// <exception cref="DefinitionException">Something is wrong with it; all of it is told.</exception>
    public static Migration FromYaml(string text) => Read("migration.yaml", text);

    /// <summary>
    /// Runs a migration undisturbed; then cut off at every moment and resumed, cut off and rolled back and run again; then undone after its end,
    /// cut off at every moment of that. Each time the schema and the rows must be those of the undisturbed run, or those before it.
    /// </summary>
    /// <param name="migration">The migration. All processes ask this instance, so what it keeps in its fields survives them; give a function otherwise.</param>
    /// <param name="checkup">What the world looks like before, and what is compared.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="MigrationFaultException">Something is wrong with the migration; the message says what, and at which moments.</exception>
    /// <exception cref="DefinitionException">The definition cannot be used.</exception>
    public Task<CheckupReport> CheckAsync(Migration migration, MigrationCheckup? checkup = null, CancellationToken ct = default) =>
        CheckAsync(() => migration, checkup, ct);

    /// <inheritdoc cref="CheckAsync(Migration, MigrationCheckup?, CancellationToken)"/>
    /// <param name="make">Makes the migration anew for each process.</param>
    /// <param name="checkup">What the world looks like before, and what is compared.</param>
    /// <param name="ct">Stops it.</param>
    public Task<CheckupReport> CheckAsync(Func<Migration> make, MigrationCheckup? checkup = null, CancellationToken ct = default) =>
        WithEngineAsync(make, checkup, trials => new Checkup(trials).RunAsync(), ct);

    /// <summary>
    /// Runs a migration, rolls it back if that can be done, and writes down every statement that changed something, in order, with its settings. What
    /// differs from one time to the next has placeholders: RUN for the run's id, UUID1 for a UUID, TIME for a moment of this day.
    /// </summary>
    /// <param name="migration">The migration.</param>
    /// <param name="checkup">What the world looks like before.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>A text to be kept and compared, with <see cref="ApprovedText"/> or by other means.</returns>
    /// <exception cref="MigrationFaultException">The migration cannot be run, or not be rolled back.</exception>
    public Task<string> ConversationAsync(Migration migration, MigrationCheckup? checkup = null, CancellationToken ct = default) =>
        WithEngineAsync(() => migration, checkup, trials => new Conversation(trials).RecordAsync(), ct);

    /// <summary>Ends the server and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _one.Dispose();
    }

    private static Migration Read(string name, string text)
    {
        var (migration, problems) = YamlReader.Read(name, text);
        return problems.Count == 0 ? migration! : throw new DefinitionException(problems);
    }

    private async Task<T> WithEngineAsync<T>(Func<Migration> make, MigrationCheckup? checkup, Func<Trials, Task<T>> work, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(make);
        await _one.WaitAsync(ct);
        try
        {
            return await work(new Trials(_engine, make, checkup ?? new MigrationCheckup(), ct));
        }
        finally
        {
            _one.Release();
        }
    }
}
