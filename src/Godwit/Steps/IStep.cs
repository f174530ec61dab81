using Godwit.Migrations;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// A kind of step. Both directions may be called again after they were cut off anywhere: each asks the journal and the server what
/// has happened already.
/// </summary>
internal interface IStep
{
    /// <summary>The name by which plans call it.</summary>
    string Kind { get; }

    /// <summary>What it works on: its step's node is one of these.</summary>
    Service Server => Service.ClickHouse;

    /// <summary>Whether steps of this kind that follow each other in an operation may be done at the same time.</summary>
    bool IsSideBySide => false;

    /// <summary>Whether names change hands here, or are about to: the migration's gates are asked before it begins.</summary>
    bool IsGated => false;

    /// <summary>Does it, or finishes doing it.</summary>
    Task ForwardAsync(StepContext context, CancellationToken ct);

    /// <summary>Refuses an undoing that cannot be done or would lose something, and does what can be done for it while the run may still go forward.</summary>
    Task PrepareUndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Puts back what must not stay held while nobody works on the run: called when work on it stops, and for an owner that died.</summary>
    Task LetGoAsync(StepContext context) => Task.CompletedTask;

    /// <summary>Whether something stands still that only this step puts back. A server that is away is then waited for, however long that takes.</summary>
    bool Holds(StepContext context) => false;

    /// <summary>Undoes it, whether it was done, begun, or not even that.</summary>
    Task UndoAsync(StepContext context, CancellationToken ct);
}
