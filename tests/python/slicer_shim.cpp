// What of 3D Slicer's command-line modules Python does not see: parsing a description and giving it to the logic. The wheel
// has no headers, so the classes are declared here as far as they are used; one is more bytes than it needs.
// Built by slicer_scene.py.
#include <string>

class ModuleDescription {
    alignas(16) char bytes[1 << 16];

public:
    ModuleDescription();
    ModuleDescription(const ModuleDescription&);
    ~ModuleDescription();
    void SetTarget(const std::string&);
    void SetType(const std::string&);
};

class ModuleDescriptionParser {
public:
    int Parse(const std::string&, ModuleDescription&);
};

class vtkMRMLCommandLineModuleNode {
public:
    static void RegisterModuleDescription(ModuleDescription);
};

class vtkSlicerCLIModuleLogic {
public:
    void SetDefaultModuleDescription(const ModuleDescription&);
};

// As qSlicerCLIModule does when the application finds a program. Returns 0, or 1 for a description Slicer refuses.
extern "C" int describe(vtkSlicerCLIModuleLogic* logic, const char* program, const char* xml) {
    ModuleDescription description;
    if (ModuleDescriptionParser().Parse(xml, description) != 0) {
        return 1;
    }
    description.SetType("CommandLineModule");
    description.SetTarget(program);
    vtkMRMLCommandLineModuleNode::RegisterModuleDescription(description);
    logic->SetDefaultModuleDescription(description);
    return 0;
}
