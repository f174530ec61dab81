using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Rendering;

/// <summary>A stream on which tables are drawn: with colours on a terminal, as plain lines elsewhere.</summary>
internal sealed class Screen(TextWriter writer, bool isTerminal, CliEnvironment environment)
{
    // Wide enough that no program which reads the lines meets a broken one; a person's terminal has its own width.
    private const int FileWidth = 200;

    /// <summary>Draws something once.</summary>
    public void Write(IRenderable content)
    {
        if (isTerminal)
        {
            Console(writer).Write(content);
            return;
        }

        // Tables fill their cells with blanks, which are noise in a file.
        using var text = new StringWriter();
        Console(text).Write(content);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            writer.WriteLine(line.TrimEnd());
        }
    }

    /// <summary>The console behind it, for displays that move.</summary>
    public IAnsiConsole Console() => Console(writer);

    private IAnsiConsole Console(TextWriter target)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new Canvas(target, isTerminal),
            Ansi = isTerminal && !environment.IsDumb ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isTerminal && environment.Colors ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private sealed class Canvas(TextWriter target, bool isTerminal) : IAnsiConsoleOutput
    {
        public TextWriter Writer => target;

        public bool IsTerminal => isTerminal;

        public int Width => isTerminal ? Measure(() => System.Console.WindowWidth, 80) : FileWidth;

        public int Height => isTerminal ? Measure(() => System.Console.WindowHeight, 24) : 10_000;

        public void SetEncoding(Encoding encoding)
        {
            // The streams of this process are UTF-8 as they are.
        }

        private static int Measure(Func<int> size, int otherwise)
        {
            try
            {
                return size() is > 0 and var known ? known : otherwise;
            }
            catch (IOException)
            {
                return otherwise;
            }
        }
    }
}
