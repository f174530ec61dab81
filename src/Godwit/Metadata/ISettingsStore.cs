namespace Godwit.Metadata;

/// <summary>Where the settings of an instance and the audit trail are kept. Every write is durable when its task completes.</summary>
public interface ISettingsStore
{
    /// <summary>The settings that somebody has set, as they were written, by name.</summary>
    Task<IReadOnlyDictionary<string, string>> GetSettingsAsync(CancellationToken ct = default);

    /// <summary>Stores a setting together with its entry in the audit trail, both or none.</summary>
    /// <param name="name">The setting.</param>
    /// <param name="value">The value as it was written; null takes the setting away.</param>
    /// <param name="audit">Who did it.</param>
    /// <param name="ct">Cancels.</param>
    Task PutSettingAsync(string name, string? value, AuditEntry audit, CancellationToken ct = default);

    /// <summary>Appends to the audit trail.</summary>
    Task AppendAuditAsync(AuditEntry entry, CancellationToken ct = default);

    /// <summary>Entries of the audit trail, the newest first.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="before">Only entries older than the one of this number; null for the newest.</param>
    /// <param name="ct">Cancels.</param>
    Task<IReadOnlyList<AuditEntry>> GetAuditAsync(int most, long? before = null, CancellationToken ct = default);
}

/// <summary>Runs and settings: all that Godwit keeps.</summary>
public interface IStore : IRunStore, ISettingsStore;

/// <summary>Something that a person or a worker did.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="Who">The person or the process.</param>
/// <param name="Action">What was done, a word or two: <c>set</c>, <c>start</c>, <c>rollback</c>.</param>
/// <param name="Subject">To what: a setting, a run, a migration.</param>
/// <param name="Details">More of it; never holds a secret.</param>
public sealed record AuditEntry(DateTimeOffset At, string Who, string Action, string Subject, string? Details = null)
{
    /// <summary>Its number, which grows; given by the store.</summary>
    public long Id { get; init; }

    /// <summary>See <see cref="Actor.From"/>.</summary>
    public string? From { get; init; }
}
