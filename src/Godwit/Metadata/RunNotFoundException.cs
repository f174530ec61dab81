namespace Godwit.Metadata;

/// <summary>The store holds no run of that id.</summary>
public sealed class RunNotFoundException(string runId)
    : Exception($"There is no run {runId} in this state file. `godwit runs` lists the runs that there are.");
