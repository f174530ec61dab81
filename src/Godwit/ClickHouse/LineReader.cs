using System.Text;

namespace Godwit.ClickHouse;

/// <summary>
/// Cuts a body into lines without holding more than one. A broken connection ends the lines like the end of the body does, and
/// is kept in <see cref="Broken"/>: the lines before it may hold the reason.
/// </summary>
internal sealed class LineReader(Answer answer)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _isOver;

    /// <summary>Why the body ended early; null while it has not, and when it ended as it should.</summary>
    public IOException? Broken { get; private set; }

    /// <summary>True when the last line that was returned had no line break behind it.</summary>
    public bool LastWasUnended { get; private set; }

    /// <summary>The next line without its <c>\n</c> (a <c>\r</c> stays), or null at the end.</summary>
    public async ValueTask<string?> ReadAsync()
    {
        var searched = 0;
        while (true)
        {
            var length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                return Take(searched + length, lineBreak: 1);
            }

            searched = _end - _start;
            if (_isOver)
            {
                LastWasUnended = searched > 0;
                return searched > 0 ? Take(searched, lineBreak: 0) : null;
            }

            await FillAsync();
        }
    }

    private string Take(int length, int lineBreak)
    {
        var line = Encoding.UTF8.GetString(_buffer, _start, length);
        _start += length + lineBreak;
        return line;
    }

    private async ValueTask FillAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        try
        {
            var read = await answer.ReadAsync(_buffer.AsMemory(_end));
            _end += read;
            _isOver = read == 0;
        }
        catch (IOException e)
        {
            Broken = e;
            _isOver = true;
        }
    }
}
