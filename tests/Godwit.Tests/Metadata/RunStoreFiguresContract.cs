using Godwit.Metadata;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Metadata;

/// <summary>What every store keeps of a run for people: figures, limits, pages of the journal and the audit trail.</summary>
public abstract class RunStoreFiguresContract : RunStoreContract
{
    [Fact]
    public async Task Samples_come_back_as_they_were_kept_and_only_the_newer_ones_are_asked_for()
    {
        var lease = await StartAsync("aaaaaaaa");
        RunSample[] samples =
        [
            new(StoreSamples.Noon, 10, 0.5, null, IsHeld: false),
            new(StoreSamples.Noon + Minute, long.MaxValue, 1e9, 0.25, IsHeld: true),
            new(StoreSamples.Noon + (2 * Minute), 30, 0, 0, IsHeld: false),
        ];
        foreach (var sample in samples)
        {
            await Store.AppendSampleAsync(lease, sample, Ct);
        }

        var other = await AnotherAsync();
        (await other.GetSamplesAsync("aaaaaaaa", ct: Ct)).ShouldBe(samples);
        (await other.GetSamplesAsync("aaaaaaaa", samples[1].At, Ct)).ShouldBe(samples[2..]);
        (await other.GetSamplesAsync("nowhere1", ct: Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_last_limit_that_somebody_set_holds_and_no_limit_is_one_too()
    {
        await StartAsync("aaaaaaaa");
        (await Store.FindRowLimitAsync("aaaaaaaa", Ct)).ShouldBeNull();
        var other = await AnotherAsync();

        await other.PutRowLimitAsync("aaaaaaaa", new RowLimit(5_000_000_000), Ct);
        (await Store.FindRowLimitAsync("aaaaaaaa", Ct)).ShouldBe(new RowLimit(5_000_000_000));
        await other.PutRowLimitAsync("aaaaaaaa", new RowLimit(null), Ct);
        (await Store.FindRowLimitAsync("aaaaaaaa", Ct)).ShouldBe(new RowLimit(null));

        await Should.ThrowAsync<RunNotFoundException>(Store.PutRowLimitAsync("nowhere1", new RowLimit(1), Ct));
    }

    [Fact]
    public async Task A_journal_is_read_page_by_page()
    {
        var lease = await StartAsync("aaaaaaaa");
        for (var i = 0; i < 5; i++)
        {
            await Store.AppendJournalAsync(lease, StoreSamples.Entry("aaaaaaaa", $"entry {i}"), Ct);
        }

        List<string> read = [];
        long after = 0;
        while (await Store.GetJournalAsync("aaaaaaaa", after, 2, Ct) is { Count: > 0 } page)
        {
            page.Count.ShouldBeLessThanOrEqualTo(2);
            read.AddRange(page.Select(e => e.Name));
            after = page[^1].Sequence;
        }

        read.ShouldBe(["entry 0", "entry 1", "entry 2", "entry 3", "entry 4"]);
    }

    [Fact]
    public async Task The_audit_trail_is_read_backwards_with_who_and_from_where()
    {
        AuditEntry Entry(int i) => new(StoreSamples.Noon, $"it's {i}", "start", "aaaaaaaa", i == 0 ? null : "\"☃\"") { From = i == 0 ? null : "10.0.0.1" };
        for (var i = 0; i < 3; i++)
        {
            await Store.AppendAuditAsync(Entry(i), Ct);
        }

        var newest = await (await AnotherAsync()).GetAuditAsync(2, ct: Ct);
        newest.Select(e => e with { Id = 0 }).ShouldBe([Entry(2), Entry(1)]);
        (await Store.GetAuditAsync(2, newest[^1].Id, Ct)).Select(e => e with { Id = 0 }).ShouldBe([Entry(0)]);
    }
}
