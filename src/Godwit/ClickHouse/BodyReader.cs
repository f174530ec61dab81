using System.Text;

namespace Godwit.ClickHouse;

/// <summary>
/// The lines of a result, and nothing that is not one. A statement can fail after its status was sent as 200; the server then writes
/// the error behind the rows, and that must become an exception, never a short result or a row.
/// </summary>
/// <remarks>
/// Newer servers frame the error with a word that only they know (<c>__exception__</c>, the word of the X-ClickHouse-Exception-Tag
/// header, the text), each line ended by a carriage return that no value can hold unescaped. Older ones write the bare text as the last
/// line. A last row that looks exactly like an old server's error is taken for one: failing is the safe way to be wrong.
/// </remarks>
internal sealed class BodyReader(Answer answer, bool statusIsTruth)
{
    private const string Frame = "__exception__";
    private const int LongestError = 1 << 20;

    private readonly LineReader _lines = new(answer);
    private readonly Queue<string> _values = new(); // lines that were found to be no error
    private string? _next; // a line that was read to judge the one before, and is not judged yet

    /// <summary>The next line, or null at the true end of the result.</summary>
    /// <exception cref="ClickHouseException">The statement failed, or the connection broke, where the result should have gone on.</exception>
    public async ValueTask<string?> ReadAsync()
    {
        if (_values.TryDequeue(out var value))
        {
            return value;
        }

        if (await TakeAsync() is not { } line)
        {
            return _lines.Broken is { } broken ? throw answer.Failures.BrokenOff(broken) : null;
        }

        if (answer.ExceptionTag is { } tag)
        {
            return line.EndsWith('\r') ? await UnlessFramedAsync(line[..^1], tag) : Ended(line);
        }

        return !statusIsTruth && ServerError.StartsIn(line) ? await UnlessBareErrorAsync(line) : Ended(line);
    }

    private async ValueTask<string?> TakeAsync()
    {
        if (_next is not { } line)
        {
            return await _lines.ReadAsync();
        }

        _next = null;
        return line;
    }

    private async ValueTask<string> UnlessFramedAsync(string line, string tag)
    {
        _next = await _lines.ReadAsync();
        if (_next != Frame + "\r")
        {
            return Ended(line); // a profile asked for CRLF
        }

        // The word, the text, its length and the word again. A row that had only begun is forgotten.
        var (text, _) = await RestAsync();
        var start = text.StartsWith(tag, StringComparison.Ordinal) ? tag.Length : 0;
        var end = text.LastIndexOf($" {tag}", StringComparison.Ordinal);
        throw Failed(text[start..(end > start ? text.LastIndexOf('\n', end) : text.Length)].Trim());
    }

    private async ValueTask<string> UnlessBareErrorAsync(string line)
    {
        if (ServerError.EndsIn(line))
        {
            // A whole error in one line is an error only where nothing follows: elsewhere it is a value that quotes one.
            _next = await _lines.ReadAsync();
            return _next is null ? throw Failed(line) : line;
        }

        var (rest, isWhole) = await RestAsync();
        if (isWhole && (ServerError.EndsIn(rest) || _lines.Broken is not null))
        {
            throw Failed(line + "\n" + rest);
        }

        foreach (var row in rest.Split('\n')[..^1])
        {
            _values.Enqueue(row);
        }

        return line;
    }

    private async ValueTask<(string Text, bool IsWhole)> RestAsync()
    {
        var rest = new StringBuilder();
        while (rest.Length < LongestError)
        {
            if (await _lines.ReadAsync() is not { } line)
            {
                return (rest.ToString(), true);
            }

            rest.Append(line).Append('\n');
        }

        return (rest.ToString(), false);
    }

    // Every row ends with a line break: one that does not was cut.
    private string Ended(string line)
        => !_lines.LastWasUnended ? line
            : _lines.Broken is { } broken ? throw answer.Failures.BrokenOff(broken)
            : throw answer.Failures.Malformed("its last line was cut off");

    private ClickHouseException Failed(string text)
        => ServerError.Parse(text) is { } error ? answer.Failures.FromServer(error) : answer.Failures.Malformed(text);
}
