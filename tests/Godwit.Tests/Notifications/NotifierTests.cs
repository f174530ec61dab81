using System.Collections.Concurrent;
using Godwit.Metadata;
using Godwit.Notifications;
using Godwit.Tests.Metadata;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Notifications;

/// <summary>Notifications go out in order, beside the run, and what does not arrive is told.</summary>
public sealed class NotifierTests
{
    private readonly ConcurrentQueue<NotificationFailure> _failures = new();
    private readonly Settings _settings = new();

    [Fact]
    public async Task They_arrive_in_order_and_those_under_way_are_waited_for_at_the_end()
    {
        await using HookSink sink = new();
        _settings.Notify = sink.Url.ToString();

        await TellAsync(NotifySamples.Quick, "one", "two", "three");

        sink.Calls.Select(c => c.Document().GetProperty("migration").GetString()).ShouldBe(["one", "two", "three"]);
        _failures.ShouldBeEmpty();
        _settings.Audit.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_is_away_holds_up_no_other_one_and_is_given_up_at_the_end_with_a_sentence()
    {
        await using HookSink good = new();
        await using HookSink silent = new() { Answer = _ => null };
        _settings.Notify = $"{silent.Url} {good.Url}";

        // Until the grace ends the silent one is waited for; by then all is with the good one.
        await TellAsync(NotifySamples.Quick with { Grace = TimeSpan.FromSeconds(2) }, "one", "two");

        good.Events.Count.ShouldBe(2);
        var told = $"\"Migration one has failed on host:8123 (run k3f9a2b1).\" did not reach http://127.0.0.1:{silent.Port}/…: the process ended before it answered.";
        _failures.Select(f => f.Message).First().ShouldBe(told);
        _failures.Count.ShouldBe(2);
        _settings.Audit.First().ShouldSatisfyAllConditions(
            a => (a.Action, a.Subject, a.Details).ShouldBe(("not notified", "k3f9a2b1", told)),
            a => a.Who.ShouldStartWith("godwit@"));
    }

    [Fact]
    public async Task A_target_that_is_set_while_a_run_goes_on_counts_from_the_next_notification_on()
    {
        await using HookSink sink = new();
        Notifier notifier = new(_settings, NotifySamples.Quick, TimeProvider.System, _failures.Enqueue);
        notifier.Tell(NotifySamples.Failed("one"));
        while (_settings.Reads == 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        _settings.Notify = sink.Url.ToString();
        notifier.Tell(NotifySamples.Failed("two"));
        await notifier.DisposeAsync();

        sink.Calls.ShouldHaveSingleItem().Document().GetProperty("migration").GetString().ShouldBe("two");
    }

    [Fact]
    public async Task A_store_that_fails_is_told_to_the_process_at_least()
    {
        _settings.Failure = new StoreException("The disk is gone.");

        await TellAsync(NotifySamples.Quick, "one");

        _failures.ShouldHaveSingleItem().Message.ShouldBe(
            "\"Migration one has failed on host:8123 (run k3f9a2b1).\" did not reach the targets: StoreException: The disk is gone. (The audit trail could not be written either: The disk is gone.)");
    }

    [Fact]
    public async Task A_stored_target_that_cannot_be_read_is_told_and_not_shown()
    {
        _settings.Notify = "gopher://S3CRET";

        await TellAsync(NotifySamples.Quick, "one");

        _settings.Audit.ShouldHaveSingleItem().Details.ShouldNotBeNull().ShouldEndWith(
            "did not reach the targets: StoredFormatException: The stored setting notify cannot be read. Set it again, or use the version that set it.");
    }

    private async Task TellAsync(Delivery delivery, params string[] migrations)
    {
        await using Notifier notifier = new(_settings, delivery, TimeProvider.System, _failures.Enqueue);
        foreach (var migration in migrations)
        {
            notifier.Tell(NotifySamples.Failed(migration));
        }
    }

    private sealed class Settings : ISettingsStore
    {
        private int _reads;

        public string Notify { get; set; } = "";

        public StoreException? Failure { get; set; }

        public int Reads => _reads;

        public ConcurrentQueue<AuditEntry> Audit { get; } = new();

        public Task<IReadOnlyDictionary<string, string>> GetSettingsAsync(CancellationToken ct = default)
        {
            IReadOnlyDictionary<string, string> settings = new Dictionary<string, string> { ["notify"] = Notify };
            Interlocked.Increment(ref _reads);
            return Failure is null ? Task.FromResult(settings) : Task.FromException<IReadOnlyDictionary<string, string>>(Failure);
        }

        public Task PutSettingAsync(string name, string? value, AuditEntry audit, CancellationToken ct = default) => throw new NotSupportedException();

        public Task AppendAuditAsync(AuditEntry entry, CancellationToken ct = default)
        {
            Audit.Enqueue(entry);
            return Failure is null ? Task.CompletedTask : Task.FromException(Failure);
        }

        public Task<IReadOnlyList<AuditEntry>> GetAuditAsync(int most, long? before = null, CancellationToken ct = default) => throw new NotSupportedException();
    }
}
