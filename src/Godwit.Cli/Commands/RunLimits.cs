using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Runs;

namespace Godwit.Cli.Commands;

/// <summary>The options that say how a run is to behave.</summary>
internal static class RunLimits
{
    /// <summary>Whether the run is left to a worker.</summary>
    public static readonly Option<bool> Detach = Opt.Flag("--detach", "Leave it to a worker instead of working on it here");

    private static readonly Option<string> StartWindow = Opt.Text(
        "--start-window", "TIMES", "With --detach: when it may start, in UTC, such as 22:00-06:00, or any [as the settings say]");

    private static readonly Option<bool> DeferCutover = Opt.Flag("--defer-cutover", "Wait for `godwit cutover` before the names change hands");

    private static readonly Option<TimeSpan?> RollbackWindow = Opt.Parsed<TimeSpan?>(
        "--rollback-window", "TIME", "How long the retired table is kept for a rollback [24h]", text => Durations.Read(text));

    private static readonly Option<TimeSpan?> PauseBudget = Opt.Parsed<TimeSpan?>(
        "--pause-budget", "TIME", "How long a feed may be held while the names change hands [5m]", text => Durations.Read(text));

    private static readonly Option<TimeSpan?> KafkaRetention = Opt.Parsed<TimeSpan?>(
        "--kafka-retention", "TIME", "How long the topics of a feed keep messages, where the broker does not tell", text => Durations.Read(text));

    private static readonly Option<bool> DropRetired = Opt.Flag("--drop-retired", "Drop the retired table right after the cutover: no rollback");

    private static readonly Option<long?> MaxRowsPerSecond = Opt.Parsed(
        "--max-rows-per-second", "N", "The most rows per second that the copy of what is there takes [no limit]", Opt.Number);

    private static readonly Option<int?> MaxParts = Opt.Parsed(
        "--max-parts", "N", "Hold while a partition has more active parts [half of the server's limit]", Opt.SmallNumber);

    private static readonly Option<long?> MinFreeDisk = Opt.Parsed<long?>(
        "--min-free-disk", "SIZE", "Hold while a disk of the table has less free [1GiB]", text => Sizes.Read(text));

    private static readonly Option<string[]> BrakeSql = Opt.Many("--brake-sql", "SQL", "Hold while this does not return 0; repeatable");

    private static readonly Option<int?> Threads = Opt.Parsed(
        "--threads", "N", "The most threads that the copy uses on the server [its cores]", Opt.SmallNumber);

    private static readonly Option<long?> Memory = Opt.Parsed<long?>(
        "--memory", "SIZE", "The most memory that the copy uses on the server [by its limits]", text => Sizes.Read(text));

    /// <summary>Of migrations only: a rebuild has a way back until its cutover.</summary>
    public static readonly Option<bool> AcceptIrreversible = Opt.Flag("--accept-irreversible", "Do not wait for `godwit cutover` before steps that cannot be undone");

    /// <summary>Of migrations only: the statements of a rebuild end by themselves.</summary>
    public static readonly Option<TimeSpan?> StatementTimeout = Opt.Parsed<TimeSpan?>(
        "--statement-timeout", "TIME", "How long a statement may take when its author names no time [no limit]", text => Durations.Read(text));

    /// <summary>Who works on it, and when.</summary>
    public static IReadOnlyList<Option> Worker { get; } = [Detach, StartWindow];

    /// <summary>What concerns the cutover.</summary>
    public static IReadOnlyList<Option> Cutover { get; } = [DeferCutover, PauseBudget, KafkaRetention, RollbackWindow, DropRetired];

    /// <summary>What slows or holds.</summary>
    public static IReadOnlyList<Option> Brakes { get; } = [MaxRowsPerSecond, MaxParts, MinFreeDisk, BrakeSql, Threads, Memory];

    /// <summary>The options of the run; what is wrong with them is added to <paramref name="problems"/>.</summary>
    public static RunOptions Read(Invocation call, List<string> problems)
    {
        var defaults = new RunOptions();
        var options = defaults with
        {
            StartWindow = call.Get(StartWindow),
            DeferCutover = call.Has(DeferCutover),
            RollbackWindow = call.Get(RollbackWindow) ?? defaults.RollbackWindow,
            PauseBudget = call.Get(PauseBudget) ?? defaults.PauseBudget,
            KafkaRetention = call.Get(KafkaRetention),
            DropRetired = call.Has(DropRetired),
            MaxRowsPerSecond = call.Get(MaxRowsPerSecond),
            MaxParts = call.Get(MaxParts),
            MinFreeDisk = call.Get(MinFreeDisk) ?? defaults.MinFreeDisk,
            BrakeSql = call.All(BrakeSql),
            Threads = call.Get(Threads),
            Memory = call.Get(Memory),
        };
        if (options.StartWindow is not null && !call.Has(Detach))
        {
            problems.Add("--start-window is for workers, and this would start at once: add --detach.");
        }

        if (options.DropRetired && call.Get(RollbackWindow) is not null)
        {
            problems.Add("--drop-retired leaves no rollback window: leave it out, or --rollback-window.");
        }

        problems.AddRange(options.Problems());
        return options;
    }
}
