using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>
/// The journal of the run that this process owns. All goes straight to the store; facts are also kept in memory,
/// the newest of each name, because later steps stand on them. A fact belongs to an operation of the plan, a
/// statement to its step.
/// </summary>
internal sealed class Journal(IRunStore store, LeaseKeeper lease, Plan plan, TimeProvider clock)
{
    private readonly Dictionary<(int Operation, string Name), JournalEntry> _facts = [];
    private readonly Dictionary<(int Step, string Name), JournalEntry> _last = [];
    private readonly Lock _gate = new();

    /// <summary>Reads the facts of an earlier owner.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        foreach (var entry in await store.GetJournalAsync(plan.RunId, ct))
        {
            Keep(entry);
        }
    }

    /// <summary>What a step writes and reads: its own entries, and the facts of its operation.</summary>
    public StepJournal Of(PlannedStep step) => new(this, step);

    /// <summary>The newest fact of that name; the default when there is none.</summary>
    public T? Find<T>(int operation, string name)
    {
        lock (_gate)
        {
            return _facts.TryGetValue((operation, name), out var entry) ? Read<T>(entry) : default;
        }
    }

    /// <summary>The newest fact of that name.</summary>
    /// <exception cref="StoredFormatException">There is none.</exception>
    public T Get<T>(int operation, string name) => Find<T>(operation, name)
        ?? throw new StoredFormatException($"The journal of run {plan.RunId} lacks the fact '{name}': it was changed or damaged.");

    /// <summary>What was written last of a statement: that it is about to be sent, how it came out, or that it had no effect; null for nothing.</summary>
    public JournalEntry? Last(int step, string name)
    {
        lock (_gate)
        {
            return _last.GetValueOrDefault((step, name));
        }
    }

    /// <summary>Whether there is a fact of that name.</summary>
    public bool Has(int operation, string name)
    {
        lock (_gate)
        {
            return _facts.ContainsKey((operation, name));
        }
    }

    /// <summary>The facts whose names begin so, in the order in which they were written.</summary>
    public IReadOnlyList<(long Sequence, string Name, T Value)> All<T>(int operation, string prefix)
    {
        lock (_gate)
        {
            return _facts.Where(f => f.Key.Operation == operation && f.Key.Name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(f => f.Value).OrderBy(e => e.Sequence).Select(e => (e.Sequence, e.Name, Read<T>(e))).ToList();
        }
    }

    /// <summary>Writes an entry. Not cancellable: an answer that a server has given is kept even when the run is being stopped.</summary>
    public async Task AppendAsync(int step, JournalEntryKind kind, string name, object payload)
    {
        var entry = new JournalEntry
        {
            RunId = plan.RunId,
            Step = step,
            Kind = kind,
            Name = name,
            Payload = JsonSerializer.Serialize(payload, PlanFormat.Json),
            At = clock.GetUtcNow(),
        };
        Keep(await store.AppendJournalAsync(lease.Current, entry, CancellationToken.None));
    }

    /// <summary>What is written in an entry.</summary>
    public static T Read<T>(JournalEntry entry) => JsonSerializer.Deserialize<T>(entry.Payload, PlanFormat.Json)!;

    private void Keep(JournalEntry entry)
    {
        lock (_gate)
        {
            if (entry.Kind == JournalEntryKind.Fact)
            {
                _facts[(plan.Steps[entry.Step].Operation, entry.Name)] = entry;
            }
            else
            {
                // What is written of an intent is needed for as long as it has no outcome; it may be long.
                _last[(entry.Step, entry.Name)] = entry.Kind == JournalEntryKind.Intent ? entry : entry with { Payload = "" };
            }
        }
    }
}

/// <summary>The journal as one step sees it: what it writes stands under its number, the facts that it reads are those of its operation.</summary>
internal sealed class StepJournal(Journal journal, PlannedStep step)
{
    /// <summary>Says that a statement which changes a server is about to be sent.</summary>
    public Task IntentAsync(string name, object payload) => journal.AppendAsync(step.Index, JournalEntryKind.Intent, name, payload);

    /// <summary>Says how the intent of that name came out.</summary>
    public Task OutcomeAsync(string name, object payload) => journal.AppendAsync(step.Index, JournalEntryKind.Outcome, name, payload);

    /// <summary>Says that the intent of that name had no effect.</summary>
    public Task WithdrawAsync(string name, object payload) => journal.AppendAsync(step.Index, JournalEntryKind.Withdrawal, name, payload);

    /// <summary>Whether the intent of that name has had its effect.</summary>
    public bool IsDone(string name) => journal.Last(step.Index, name)?.Kind == JournalEntryKind.Outcome;

    /// <summary>The intent of a statement that was about to be sent when nobody knows what became of it; the default otherwise.</summary>
    public T? FindOpen<T>(string name) => journal.Last(step.Index, name) is { Kind: JournalEntryKind.Intent } entry ? Journal.Read<T>(entry) : default;

    /// <summary>Keeps something that later steps stand on.</summary>
    public Task FactAsync<T>(string name, T value)
        where T : notnull => journal.AppendAsync(step.Index, JournalEntryKind.Fact, name, value);

    /// <inheritdoc cref="Journal.Find"/>
    public T? Find<T>(string name) => journal.Find<T>(step.Operation, name);

    /// <inheritdoc cref="Journal.Get"/>
    public T Get<T>(string name) => journal.Get<T>(step.Operation, name);

    /// <inheritdoc cref="Journal.Has"/>
    public bool Has(string name) => journal.Has(step.Operation, name);

    /// <inheritdoc cref="Journal.All"/>
    public IReadOnlyList<(long Sequence, string Name, T Value)> All<T>(string prefix) => journal.All<T>(step.Operation, prefix);
}
