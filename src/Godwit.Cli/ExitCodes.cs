using Godwit.Runs;

namespace Godwit.Cli;

/// <summary>The exit codes that scripts rely on.</summary>
internal static class ExitCodes
{
    /// <summary>What was asked for is done.</summary>
    public const int Done = 0;

    /// <summary>It failed; a run that failed can be resumed or rolled back.</summary>
    public const int Failed = 1;

    /// <summary>The command line or its input is wrong; nothing was changed.</summary>
    public const int Usage = 2;

    /// <summary>A check, or the state of a run, refused it; nothing was changed.</summary>
    public const int Refused = 3;

    /// <summary>An outcome is unknown: a person must look.</summary>
    public const int NeedsOperator = 4;

    /// <summary>Interrupted; a run stays resumable.</summary>
    public const int Interrupted = 130;

    /// <summary>The exit code of a verb that meant to bring a run forward and left it in this state.</summary>
    public static int Forward(RunState state) => state switch
    {
        RunState.Failed or RunState.FailedAtStartup or RunState.RolledBack => Failed,
        RunState.NeedsOperator => NeedsOperator,
        RunState.Paused => Interrupted,
        _ => Done,
    };

    /// <summary>The exit code of <c>rollback</c>.</summary>
    public static int Rollback(RunState state) => state switch
    {
        RunState.RolledBack or RunState.RollingBack => Done,
        RunState.NeedsOperator => NeedsOperator,
        RunState.Paused => Interrupted,
        _ => Failed,
    };

    /// <summary>The exit code of <c>pause</c> and <c>stop</c>.</summary>
    public static int Hold(RunState state) => state is RunState.Paused ? Done : Forward(state);
}
