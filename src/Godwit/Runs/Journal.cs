using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>
/// The journal of the run that this process owns. Intents and outcomes go straight to the store; facts are also kept in memory,
/// the newest of each name, because later steps stand on them.
/// </summary>
internal sealed class Journal(IRunStore store, LeaseKeeper lease, string runId, TimeProvider clock)
{
    private readonly Dictionary<string, JournalEntry> _facts = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Reads the facts of an earlier owner.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        foreach (var entry in await store.GetJournalAsync(runId, ct))
        {
            if (entry.Kind == JournalEntryKind.Fact)
            {
                _facts[entry.Name] = entry;
            }
        }
    }

    /// <summary>Says that a statement which changes a server is about to be sent.</summary>
    public Task IntentAsync(int step, string name, object payload) => AppendAsync(step, JournalEntryKind.Intent, name, payload);

    /// <summary>Says how the intent of that name came out.</summary>
    public Task OutcomeAsync(int step, string name, object payload) => AppendAsync(step, JournalEntryKind.Outcome, name, payload);

    /// <summary>Keeps something that later steps stand on.</summary>
    public Task FactAsync<T>(int step, string name, T value)
        where T : notnull => AppendAsync(step, JournalEntryKind.Fact, name, value);

    /// <summary>The newest fact of that name; the default when there is none.</summary>
    public T? Find<T>(string name)
    {
        lock (_gate)
        {
            return _facts.TryGetValue(name, out var entry) ? JsonSerializer.Deserialize<T>(entry.Payload, PlanFormat.Json) : default;
        }
    }

    /// <summary>The newest fact of that name.</summary>
    /// <exception cref="StoredFormatException">There is none.</exception>
    public T Get<T>(string name) =>
        Find<T>(name) ?? throw new StoredFormatException($"The journal of run {runId} lacks the fact '{name}': it was changed or damaged.");

    /// <summary>Whether there is a fact of that name.</summary>
    public bool Has(string name)
    {
        lock (_gate)
        {
            return _facts.ContainsKey(name);
        }
    }

    /// <summary>The facts whose names begin so, in the order in which they were written.</summary>
    public IReadOnlyList<(long Sequence, string Name, T Value)> All<T>(string prefix)
    {
        lock (_gate)
        {
            return _facts.Values.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)).OrderBy(e => e.Sequence)
                .Select(e => (e.Sequence, e.Name, JsonSerializer.Deserialize<T>(e.Payload, PlanFormat.Json)!)).ToList();
        }
    }

    // Not cancellable: an answer that a server has given is kept even when the run is being stopped.
    private async Task AppendAsync(int step, JournalEntryKind kind, string name, object payload)
    {
        var entry = new JournalEntry
        {
            RunId = runId,
            Step = step,
            Kind = kind,
            Name = name,
            Payload = JsonSerializer.Serialize(payload, PlanFormat.Json),
            At = clock.GetUtcNow(),
        };
        entry = await store.AppendJournalAsync(lease.Current, entry, CancellationToken.None);
        if (kind == JournalEntryKind.Fact)
        {
            lock (_gate)
            {
                _facts[name] = entry;
            }
        }
    }
}
