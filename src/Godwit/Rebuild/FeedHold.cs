using System.Runtime.ExceptionServices;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Hooks;
using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>The journal's fact that the feed is held, or was.</summary>
/// <param name="Since">Since when (UTC).</param>
/// <param name="Tables">What was detached for it.</param>
/// <param name="IsHooked">Whether the pause hook was called for it, or was to be, and the other one has not been since.</param>
/// <param name="Until">When it went on (UTC); null while it is held.</param>
internal sealed record HoldFact(DateTimeOffset Since, IReadOnlyList<QualifiedName> Tables, bool IsHooked, DateTimeOffset? Until)
{
    /// <summary>What the Kafka tables among <see cref="Tables"/> read; empty when nobody can ask their brokers.</summary>
    public IReadOnlyList<HeldQueue> Queues { get; init; } = [];
}

/// <summary>The feed was held for as long as it may be, and what had to be done meanwhile was not.</summary>
internal sealed class PauseBudgetException(string message) : Exception(message);

/// <summary>
/// Holds what writes to the source in the background while the names change hands, and always puts it back. The Kafka table itself is
/// detached, and not its view: a Kafka table that other views read would go on without this one, and these messages would be gone. Its
/// DETACH also waits for the block that is being written. Kafka keeps what is not read. Old servers cannot detach a Kafka table in any
/// good time, nor for longer than until they are restarted: there it is the only view that reads it, and both are looked at again.
/// </summary>
internal sealed class FeedHold(StepContext context, RebuildSpec spec)
{
    /// <summary>The name of <see cref="HoldFact"/>.</summary>
    public const string Fact = "feed-hold";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    // How long a Kafka table of an old server goes on with what it has begun to read for a view that was detached.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);
    private ServerIdentity? _server;

    /// <summary>Whether it is held.</summary>
    public static bool IsHeld(StepJournal journal) => journal.Find<HoldFact>(Fact) is { Until: null };

    /// <summary>Since when a run has held the feed, or its consumers (UTC), for those who look at it from outside; null when it does not.</summary>
    public static DateTimeOffset? Since(IReadOnlyList<JournalEntry> journal) =>
        Last(journal, Fact) is { } entry && Journal.Read<HoldFact>(entry) is { Until: null } hold ? hold.Since
        : Last(journal, ConsumerPair.Fact) is { } swap && !Journal.Read<SwapFact>(swap).IsDone ? swap.At
        : null;

    private static JournalEntry? Last(IReadOnlyList<JournalEntry> journal, string fact) => journal.LastOrDefault(e => e.Kind == JournalEntryKind.Fact && e.Name == fact);

    /// <summary>For how long the feed was held, all attempts together; null when it never was.</summary>
    public static TimeSpan? Total(StepJournal journal) => journal.Find<PausedFact>(PausedFact.Name) is { } paused ? TimeSpan.FromSeconds(paused.Seconds) : null;

    /// <summary>Refuses when something that writes in the background has come since the plan: nothing would hold it, and no statement shows its writes.</summary>
    /// <param name="verb">What a person says again when it is gone.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="StepFailedException">Something has.</exception>
    public async Task RequireKnownAsync(string verb, CancellationToken ct)
    {
        // Nobody wants to know who inserts.
        var capabilities = (await context.DialectAsync(ct)).Capabilities with { HasQueryLog = false };
        var feed = await FeedReader.ReadAsync(context.Gateway, capabilities, spec.Source, ct);
        List<QualifiedName> known = [.. spec.Queues, .. spec.Second is { } second ? new[] { second.Queue, HelperTables.Queue(spec) } : []];
        if (feed.Sources.FirstOrDefault(s => !known.Contains(s.Table) && (s.CanBeHeld || spec.Hooks is null)) is { } late)
        {
            throw new StepFailedException(
                $"{late} writes to {spec.Source} in the background, and the plan knows nothing of it: nothing would hold it while the names change hands. DETACH it and `{verb}`"
                + $"{(verb == "resume" ? ", or `rollback` and make a new plan" : "")}.");
        }
    }

    /// <summary>Waits until the feed can be held without harm: until it is near the end of its topics, has no trouble, and nothing of it would expire meanwhile.</summary>
    public async Task AwaitCalmAsync(CancellationToken ct)
    {
        var capabilities = spec.Held.Count > 0 ? await Capabilities.ProbeAsync(context.Gateway, ct) : null;
        while (capabilities is not null && await ObjectionAsync(capabilities, ct) is { } objection)
        {
            context.Board.Brake = $"The feed is not held yet: {objection}";
            await Task.Delay(BetweenLooks, context.Clock, ct);
        }

        context.Board.Brake = null;
    }

    /// <summary>Does something while nothing of the feed writes. The feed goes on however that ends.</summary>
    /// <exception cref="PauseBudgetException">It took longer than the feed may be held.</exception>
    public async Task WhileHeldAsync(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        if (!spec.PausesFeed)
        {
            await work(ct);
            return;
        }

        using var budget = new CancellationTokenSource(context.Options.PauseBudget, context.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, budget.Token);
        Exception? failure = null;
        try
        {
            await HoldAsync(either.Token);
            await work(either.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = e;
        }

        await ReleaseAfterAsync(failure);
        switch (failure)
        {
            case null:
                return;
            case HookException:
                throw new StepFailedException($"{failure.Message} They were told to go on, and the names are as they were: mend it and `resume`.", failure);
            case OperationCanceledException or ClickHouseException when budget.IsCancellationRequested && !ct.IsCancellationRequested:
                throw new PauseBudgetException($"The feed was held for {Plain.Time(context.Options.PauseBudget)}, which is its budget, and not all was done.");
            default:
                ExceptionDispatchInfo.Throw(failure);
                break;
        }
    }

    // Writers that could not be paused either: both reasons are told.
    private async Task ReleaseAfterAsync(Exception? failure)
    {
        try
        {
            await ReleaseAsync();
        }
        catch (StepFailedException e) when (failure is HookException)
        {
            throw new StepFailedException($"{failure.Message} {e.Message}", e);
        }
        catch (StepFailedException) when (failure is not (null or OperationCanceledException or PauseBudgetException))
        {
            // What went wrong first decides what becomes of the run. Whoever says that it failed puts this back once more, and tells when that fails, too.
        }
    }

    /// <summary>Makes sure that nothing of the feed has gone on by itself: an old server that is restarted attaches what was detached.</summary>
    /// <exception cref="PauseBudgetException">It has, or may have.</exception>
    public async Task RequireHeldAsync(CancellationToken ct)
    {
        if (spec.Held.Count > 0 && _server is { } before && (await ServerIdentity.ReadAsync(context.Gateway, ct)).IsRestartOf(before))
        {
            throw new PauseBudgetException($"{context.Gateway.Name} was restarted while the feed of {spec.Source} was held, and may have let it go on.");
        }

        if (await TableNames.ExistingOfAllAsync(context, spec.Held, ct) is [var attached, ..])
        {
            throw new PauseBudgetException($"{attached} was attached again by somebody while the feed of {spec.Source} was held.");
        }
    }

    /// <summary>Lets the feed flow for as long as it was held, so that it catches up before it is held again.</summary>
    public async Task RestAsync(PauseBudgetException tooLong, CancellationToken ct)
    {
        context.Board.Brake = $"{tooLong.Message} It is tried again in {Plain.Time(context.Options.PauseBudget)}";
        await Task.Delay(context.Options.PauseBudget, context.Clock, ct);
        context.Board.Brake = null;
    }

    /// <summary>Puts the feed back, also after the death of whoever held it. It is not cancelled.</summary>
    /// <exception cref="StepFailedException">It could not be put back.</exception>
    public async Task ReleaseAsync()
    {
        if (context.Journal.Find<HoldFact>(Fact) is not { Until: null } hold)
        {
            return;
        }

        hold = await new FeedRelease(context, spec).PutBackAsync(hold);
        var now = context.Clock.GetUtcNow();
        var before = Total(context.Journal) ?? TimeSpan.Zero;
        await context.Journal.FactAsync(PausedFact.Name, new PausedFact(Math.Round((before + (now - hold.Since)).TotalSeconds, 3)));
        await context.Journal.FactAsync(Fact, hold with { Until = now });
    }

    private async Task<string?> ObjectionAsync(Capabilities capabilities, CancellationToken ct) =>
        (await KafkaChecks.RunAsync(context.Gateway, capabilities, spec.Queues, context.Options.KafkaGate, spec.Accepted, context.Clock, ct)).FirstOrDefault(r => r.Blocks)?.Message;

    private async Task HoldAsync(CancellationToken ct)
    {
        context.Board.Activity = "holding the feed";
        List<QualifiedName> present = [];
        foreach (var table in spec.Held)
        {
            // What somebody else has detached is not ours to attach.
            if (await TableReader.FindEngineAsync(context.Gateway, table, ct) is not null)
            {
                present.Add(table);
            }
        }

        _server = await ServerIdentity.ReadAsync(context.Gateway, ct);
        await context.Journal.FactAsync(Fact, new HoldFact(context.Clock.GetUtcNow(), present, spec.Hooks is not null, null) { Queues = await HeldQueue.ReadAsync(context, spec, present, ct) });
        if (spec.Hooks is { } hooks)
        {
            await new WriterPause(context, spec.Source, hooks).PauseAsync(ct);
        }

        var dialect = await context.DialectAsync(ct);
        foreach (var table in present)
        {
            await context.ChangeAsync("hold", ct, dialect.Detach(table));
        }

        if (present.Count > 0 && !dialect.Capabilities.HasDetachPermanently)
        {
            await Task.Delay(await FlushAsync(ct) + Slack, context.Clock, ct);
        }
    }

    /// <summary>How long an old server collects rows of a Kafka table before it stores them, whatever becomes of the view meanwhile.</summary>
    private async Task<TimeSpan> FlushAsync(CancellationToken ct) => TimeSpan.FromMilliseconds(await context.Gateway.ScalarAsync<long>(
        "SELECT toInt64(max(toInt64OrZero(value))) FROM system.settings WHERE name = 'stream_flush_interval_ms'", ct: ct));
}

/// <summary>The journal's fact for how long the feed was held so far.</summary>
internal sealed record PausedFact(double Seconds)
{
    public const string Name = "feed-paused";
}
