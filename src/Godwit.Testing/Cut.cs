namespace Godwit.Testing;

/// <summary>What happens to a process.</summary>
internal enum CutKind
{
    /// <summary>It dies.</summary>
    Killed,

    /// <summary>It lives, and does not get the answer to a statement that has run.</summary>
    AnswerLost,
}

/// <summary>Where and how a process is disturbed.</summary>
/// <param name="After">The number of the moment.</param>
/// <param name="Kind">What happens.</param>
internal sealed record Cut(int After, CutKind Kind);

/// <summary>Something that a process did and that is kept whatever happens to it: it wrote to its store, or a statement has run.</summary>
/// <param name="Number">Its place among those of its process, from 1.</param>
/// <param name="Text">What it was, for people.</param>
/// <param name="Statement">The statement; null for a write to the store.</param>
internal sealed record Moment(int Number, string Text, SentStatement? Statement);
