namespace Godwit.Metadata;

/// <summary>No run of that id is in the store; nothing was written.</summary>
public sealed class RunNotFoundException(string runId)
    : Exception($"There is no run {runId} in this state file; `godwit runs` lists them.")
{
    /// <summary>The id that was asked for.</summary>
    public string RunId { get; } = runId;
}
