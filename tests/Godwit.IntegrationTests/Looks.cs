using Godwit.Runs;

namespace Godwit.IntegrationTests;

/// <summary>Counts how often the owner of a run has looked what is asked of it.</summary>
internal sealed class Looks : IProgress<RunStatus>
{
    public int Count { get; private set; }

    public void Report(RunStatus value) => Count++;
}
