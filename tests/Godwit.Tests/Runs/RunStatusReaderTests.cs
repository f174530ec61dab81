using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Tests.Metadata;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Runs;

/// <summary>What is known of a run by those who do not work on it.</summary>
public sealed class RunStatusReaderTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-status-");
    private readonly ManualClock _clock = new();
    private IStore _store = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), clock: _clock, ct: Ct);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Consumers_that_a_dead_process_has_left_behind_their_gate_are_told_too(bool isDone, bool isTold)
    {
        await _store.CreateRunAsync(StoreSamples.Run("abcd1234"), StoreSamples.Plan(), Ct);
        var lease = await _store.AcquireLeaseAsync("abcd1234", "host:1:a", TimeSpan.FromMinutes(1), Ct);
        await _store.UpdateRunAsync(lease, StoreSamples.Run("abcd1234", state: RunState.Running), Ct);
        var swap = PlanFormat.ToElement(new SwapFact(ToExchanged: true, isDone)).GetRawText();
        await _store.AppendJournalAsync(lease, StoreSamples.Entry("abcd1234", "swap", JournalEntryKind.Fact) with { Payload = swap }, Ct);
        await _store.ReleaseLeaseAsync(lease, Ct);

        (await new RunStatusReader(_store, _clock).ReadAsync("abcd1234", Ct)).FeedHeldSince.ShouldBe(isTold ? StoreSamples.Noon : null);
    }

    [Theory]
    [InlineData(true, true, false)]
    [InlineData(false, true, true)]
    [InlineData(false, false, false)]
    public async Task A_feed_that_a_dead_process_has_left_held_is_told(bool isOwned, bool isHeld, bool isTold)
    {
        await _store.CreateRunAsync(StoreSamples.Run("abcd1234"), StoreSamples.Plan(), Ct);
        var lease = await _store.AcquireLeaseAsync("abcd1234", "host:1:a", TimeSpan.FromMinutes(1), Ct);
        await _store.UpdateRunAsync(lease, StoreSamples.Run("abcd1234", state: RunState.Running), Ct);
        var hold = new HoldFact(StoreSamples.Noon, [new QualifiedName("db", "queue")], IsHooked: false, isHeld ? null : StoreSamples.Noon.AddSeconds(3));
        await _store.AppendJournalAsync(lease, StoreSamples.Entry("abcd1234", "feed-hold", JournalEntryKind.Fact) with { Payload = PlanFormat.ToElement(hold).GetRawText() }, Ct);
        if (!isOwned)
        {
            await _store.ReleaseLeaseAsync(lease, Ct);
        }

        var status = await new RunStatusReader(_store, _clock).ReadAsync("abcd1234", Ct);

        status.FeedHeldSince.ShouldBe(isTold ? StoreSamples.Noon : null);
    }
}
