"""Write the golden files anew: ``python -m tests.golden.write``."""

from tests.golden.files import FILES, FOLDER, path_of, to_text

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, golden in FILES.items():
        path_of(name).write_text(to_text(golden.make()), encoding="utf-8")
        print(path_of(name))
