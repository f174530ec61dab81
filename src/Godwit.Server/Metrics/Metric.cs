namespace Godwit.Server.Metrics;

/// <summary>A metric that /metrics gives; docs/serving.md explains the same ones.</summary>
/// <param name="Name">Its name, with the unit.</param>
/// <param name="Type">gauge, counter or summary, as Prometheus knows them.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Labels">The labels of each of its samples.</param>
internal sealed record Metric(string Name, string Type, string Help, params IReadOnlyList<string> Labels)
{
    public static readonly Metric BuildInfo = new("godwit_build_info", "gauge", "The version that runs here; always 1.", "version");

    public static readonly Metric ClickHouseUp = new("godwit_clickhouse_up", "gauge", "Whether ClickHouse answers: 1 or 0.", "node");

    public static readonly Metric StoreUp = new("godwit_store_up", "gauge", "Whether the store, in which runs are kept, answers: 1 or 0.");

    public static readonly Metric WorkerUp = new("godwit_worker_up", "gauge", "Whether the worker of this process works: 1 or 0; none with --no-worker.");

    public static readonly Metric Runs = new("godwit_runs", "gauge", "Runs of this instance in each state.", "state");

    public static readonly Metric RunInfo = new("godwit_run_info", "gauge", "A run that can still change, and what it is; always 1.", "run", "subject", "state", "strategy");

    public static readonly Metric RunProgress = new("godwit_run_progress_ratio", "gauge", "How far the run is, 0 to 1.", "run", "subject");

    public static readonly Metric RunRowsCopied = new("godwit_run_rows_copied", "gauge", "Rows copied so far; a rollback takes them back.", "run", "subject");

    public static readonly Metric RunRowsPlanned = new("godwit_run_rows_planned", "gauge", "Rows that the plan copies; rows that arrive later come on top.", "run", "subject");

    public static readonly Metric RunRowsPerSecond = new("godwit_run_rows_per_second", "gauge", "Rows per second over the last half minute.", "run", "subject");

    public static readonly Metric RunLag = new(
        "godwit_run_lag_seconds", "gauge", "How old the newest row is that the new table is sure to hold; none while no writer is followed.", "run", "subject");

    public static readonly Metric RunEta = new("godwit_run_eta_seconds", "gauge", "Seconds until the copy is done at this rate; none while nobody can know.", "run", "subject");

    public static readonly Metric RunHeld = new("godwit_run_held", "gauge", "Whether a brake holds the run, or a person has paused it: 1 or 0.", "run", "subject");

    public static readonly Metric RunSteps = new("godwit_run_steps", "gauge", "Steps of the run in each state.", "run", "subject", "state");

    public static readonly Metric RunErrors = new("godwit_run_errors_total", "counter", "Errors that the run has been through.", "run", "subject");

    public static readonly Metric MigrationsRequired = new(
        "godwit_migrations_required", "gauge", "Migrations that this instance needs and that are not done, looked at once a minute; none while ClickHouse cannot be asked.");

    public static readonly Metric HttpRequests = new("godwit_http_requests_total", "counter", "Requests answered, without streams of events.", "method", "route", "status");

    public static readonly Metric HttpDuration = new(
        "godwit_http_request_duration_seconds", "summary", "How long requests took, without streams of events.", "method", "route");

    public static readonly Metric LivePages = new("godwit_live_pages", "gauge", "Pages that are open in browsers and follow what happens.");

    public static readonly Metric LoginsRefused = new("godwit_logins_refused_total", "counter", "Logins refused, for whatever reason.");

    /// <summary>All of them, in the order of the output.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        BuildInfo, ClickHouseUp, StoreUp, WorkerUp, Runs, RunInfo, RunProgress, RunRowsCopied, RunRowsPlanned, RunRowsPerSecond, RunLag, RunEta, RunHeld,
        RunSteps, RunErrors, MigrationsRequired, HttpRequests, HttpDuration, LivePages, LoginsRefused,
    ];
}
